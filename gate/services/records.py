"""Verdicts and lock events do not stay for ever; those of a protected time do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from gate.conf import host_id
from gate.models import LockEvent, VerdictRecord
from gate.services.protection import protected_spans

__all__ = ["RecordsPruned", "records_prune"]


@dataclass(frozen=True, kw_only=True)
class RecordsPruned:
    verdicts: int
    lock_events: int


def records_prune(before: datetime, *, dry_run: bool = False) -> RecordsPruned:
    """Remove this host's verdicts last given, and lock events that happened, before that moment; how many."""
    verdicts = VerdictRecord.objects.filter(host=host_id(), last_at__lt=before)
    events = LockEvent.objects.filter(host=host_id(), at__lt=before)
    for span in protected_spans():
        verdicts = verdicts.exclude(Q(taken_at__lte=span.ends_at) & Q(last_at__gte=span.begins_at))
        events = events.exclude(at__range=(span.begins_at, span.ends_at))
    if dry_run:
        return RecordsPruned(verdicts=verdicts.count(), lock_events=events.count())
    return RecordsPruned(verdicts=verdicts.delete()[0], lock_events=events.delete()[0])
