"""What ends a run that is no fault of its job: cancelled, held, the queue paused, the hours over, or taken over."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from transcribe.errors import JobCancelled, JobFenced, JobPutBack
from transcribe.models import AttemptOutcome, Job
from transcribe.queue_rules import QueueRules, queue_rules
from transcribe.states import OWNER_WORKER, JobStatus

__all__ = ["interruption_look", "shift_over"]


def interruption_look(job: Job) -> None:
    """Called about every second while a job runs; cheap.

    Raises:
        JobCancelled, JobPutBack, JobFenced
    """
    rows = Job.objects.filter(pk=job.pk, attempt=job.attempt, status=JobStatus.RUNNING)
    row = rows.only("cancel_requested", "hold_requested", "ignores_hours", "owner", "reason").first()
    if row is None:
        raise JobFenced("another run has taken this job over")
    if row.cancel_requested:
        raise JobCancelled(f"{row.reason or 'cancelled'}; its process has ended")
    if row.hold_requested:
        raise JobPutBack(row.reason, status=JobStatus.PAUSED, outcome=AttemptOutcome.HELD)
    if row.owner == OWNER_WORKER:  # who asks at a terminal asks now: neither hours nor pause are for commands
        _look_at_the_queue(row, timezone.now())


def shift_over(job: Job, rules: QueueRules, now: datetime) -> bool:
    """Whether the hours in which this running job may go on are over."""
    return job.owner == OWNER_WORKER and not job.ignores_hours and rules.shift_over(now)


def _look_at_the_queue(job: Job, now: datetime) -> None:
    rules = queue_rules()
    if rules.pause is not None and rules.pause.stops_running:
        reason = f"{rules.pause.sentence} What it has read is kept."
        raise JobPutBack(reason, status=JobStatus.QUEUED, outcome=AttemptOutcome.QUEUE_PAUSED)
    if shift_over(job, rules, now):
        reason = f"{rules.hours_wait_text(now)} What it has read is kept."
        raise JobPutBack(reason, status=JobStatus.QUEUED, outcome=AttemptOutcome.HOURS_ENDED)
