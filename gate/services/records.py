"""Verdicts and lock events do not stay for ever; those of a protected time do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gate.conf import host_id
from gate.models import LockEvent, VerdictRecord
from gate.services.protection import gaps_between, protected_spans
from gate.services.steps import rows_count, rows_remove

__all__ = ["RecordsPruned", "records_prune"]


@dataclass(frozen=True, kw_only=True)
class RecordsPruned:
    verdicts: int
    lock_events: int


def records_prune(before: datetime, *, dry_run: bool = False) -> RecordsPruned:
    """Remove this host's verdicts last given, and lock events that happened, before that moment; how many."""
    gaps = gaps_between(protected_spans(), before)
    old_verdicts = VerdictRecord.objects.filter(host=host_id(), last_at__lt=before)
    old_events = LockEvent.objects.filter(host=host_id(), at__lt=before)
    # A verdict is last given no earlier than it was first: the index on `last_at` bounds both ends.
    verdict_gaps = [old_verdicts.filter(taken_at__gt=after, last_at__gt=after, last_at__lt=end) for after, end in gaps]
    event_gaps = [old_events.filter(at__gt=after, at__lt=end) for after, end in gaps]
    remove = rows_count if dry_run else rows_remove
    verdicts, events = remove(old_verdicts, verdict_gaps), remove(old_events, event_gaps)
    return RecordsPruned(verdicts=verdicts, lock_events=events)
