"""How often in a row a job got nowhere, and when it is tried again."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from transcribe.models import Attempt, AttemptOutcome, Job
from transcribe.retries import retry_delay
from transcribe.states import ENDED, ChunkStatus, JobStatus

__all__ = ["fruitless_attempts", "next_try_after_block", "next_try_after_loss", "since_last_retry"]

# Ended by a loss, not by a no of the gate, a person or the service's stop.
LOST = (
    AttemptOutcome.ENGINE_LOST,
    AttemptOutcome.NOT_PREPARED,
    AttemptOutcome.WORKER_LOST,
    AttemptOutcome.MACHINE_ENDED,
)


def since_last_retry(job: Job) -> QuerySet[Attempt]:
    """The job's attempts since a person last tried it again."""
    retried = job.events.filter(old__in=ENDED, new=JobStatus.QUEUED).order_by("at").last()
    attempts = job.attempts.all()
    return attempts if retried is None else attempts.filter(started_at__gt=retried.at)


def fruitless_attempts(job: Job) -> QuerySet[Attempt]:
    """Lost ones in a row that finished no chunk and kept no window; the attempt in hand counts as lost.

    So does one that loaded the model, which the gate then did not let read.
    """
    attempts = since_last_retry(job)
    blocked_late = Q(outcome=AttemptOutcome.BLOCKED, engine_pid__isnull=False)
    lost = attempts.filter(Q(outcome__in=LOST) | Q(number=job.attempt) | blocked_late)
    fruitful = attempts.filter(decoded_windows__gt=0).order_by("number").last()
    if fruitful is not None:
        lost = lost.filter(number__gt=fruitful.number)
    done = job.chunks.filter(status=ChunkStatus.DONE, finished_at__isnull=False).order_by("finished_at").last()
    return lost if done is None else lost.filter(started_at__gt=done.finished_at)


def next_try_after_loss(job: Job, *, at_least_seconds: float = 0.0) -> datetime | None:
    """At once (None) when the lost attempt made progress; otherwise later each time it got nowhere."""
    fruitless = fruitless_attempts(job).count()
    seconds = max(at_least_seconds, retry_delay(fruitless, base_seconds=settings.GATE_RETRY_SECONDS))
    return timezone.now() + timedelta(seconds=seconds) if seconds else None


def next_try_after_block(job: Job) -> datetime | None:
    """As often as the gate is asked; where the model was loaded for nothing, later each time."""
    seconds = settings.GATE_RETRY_SECONDS
    if job.attempts.filter(number=job.attempt, engine_pid__isnull=False).exists():
        return next_try_after_loss(job, at_least_seconds=seconds)
    return timezone.now() + timedelta(seconds=seconds)
