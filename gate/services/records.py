"""Verdicts and lock events do not stay for ever; those of a protected time do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gate.conf import host_id
from gate.models import LockEvent, VerdictRecord
from gate.services.protection import gaps_between, protected_spans

__all__ = ["RecordsPruned", "records_prune"]


@dataclass(frozen=True, kw_only=True)
class RecordsPruned:
    verdicts: int
    lock_events: int


def records_prune(before: datetime, *, dry_run: bool = False) -> RecordsPruned:
    """Remove this host's verdicts last given, and lock events that happened, before that moment; how many."""
    verdicts = events = 0
    for after, end in gaps_between(protected_spans(), before):
        old_verdicts = VerdictRecord.objects.filter(host=host_id(), taken_at__gt=after, last_at__lt=end)
        old_events = LockEvent.objects.filter(host=host_id(), at__gt=after, at__lt=end)
        verdicts += old_verdicts.count() if dry_run else old_verdicts.delete()[0]
        events += old_events.count() if dry_run else old_events.delete()[0]
    return RecordsPruned(verdicts=verdicts, lock_events=events)
