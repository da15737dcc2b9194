"""Statuses of jobs and chunks, and which may follow which. No ORM here."""

from __future__ import annotations

from django.db.models import IntegerChoices, TextChoices


class JobStatus(TextChoices):
    """queued → running → succeeded | incomplete | failed; blocked by the gate; cancelled by a person."""

    QUEUED = "queued", "Queued"
    """Waits for its turn."""
    RUNNING = "running", "Running"
    """The worker (or the command line) has claimed it."""
    BLOCKED = "blocked", "Blocked"
    """The gate said no; `reason` says which check, `next_try_at` when it is asked again."""
    PAUSED = "paused", "Paused"
    """Held by a person."""
    SUCCEEDED = "succeeded", "Succeeded"
    """Every chunk is done."""
    INCOMPLETE = "incomplete", "Incomplete"
    """Ended with at least one chunk missing; what is there can be read."""
    FAILED = "failed", "Failed"
    """Ended without a transcript; `reason` says why."""
    CANCELLED = "cancelled", "Cancelled"
    """Ended by a person, after its process was gone."""


class ChunkStatus(TextChoices):
    PENDING = "pending", "Pending"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    QUARANTINED = "quarantined", "Quarantined"
    """Killed its process twice; set aside so that the queue goes on."""


class Priority(IntegerChoices):
    """Of waiting jobs, those of a higher priority are claimed first."""

    HIGH = 1, "High"
    NORMAL = 0, "Normal"
    LOW = -1, "Low"


OWNER_WORKER = "worker"  # the django-q2 cluster of the job's host
OWNER_COMMAND = "command"  # followed by the pid and start time of a `manage.py transcribe`

WAITING = frozenset({JobStatus.QUEUED, JobStatus.BLOCKED})
ENDED = frozenset({JobStatus.SUCCEEDED, JobStatus.INCOMPLETE, JobStatus.FAILED, JobStatus.CANCELLED})
RETRYABLE = frozenset({JobStatus.INCOMPLETE, JobStatus.FAILED, JobStatus.CANCELLED})

TRANSITIONS: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.QUEUED: frozenset(
        {JobStatus.RUNNING, JobStatus.BLOCKED, JobStatus.PAUSED, JobStatus.CANCELLED, JobStatus.FAILED}
    ),
    JobStatus.BLOCKED: frozenset(
        {JobStatus.RUNNING, JobStatus.QUEUED, JobStatus.PAUSED, JobStatus.CANCELLED, JobStatus.FAILED}
    ),
    JobStatus.RUNNING: ENDED | {JobStatus.QUEUED, JobStatus.BLOCKED, JobStatus.PAUSED},
    JobStatus.PAUSED: frozenset({JobStatus.QUEUED, JobStatus.CANCELLED}),
    JobStatus.SUCCEEDED: frozenset(),
    JobStatus.INCOMPLETE: frozenset({JobStatus.QUEUED}),
    JobStatus.FAILED: frozenset({JobStatus.QUEUED}),
    JobStatus.CANCELLED: frozenset({JobStatus.QUEUED}),
}


def can_move(old: JobStatus, new: JobStatus) -> bool:
    return new in TRANSITIONS[old]
