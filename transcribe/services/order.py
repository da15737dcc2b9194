"""What a person does with the queue's order and with single jobs in it: place, priority, hold, release, run now."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from django.db import transaction

from transcribe.models import Chunk, Job, JobEvent
from transcribe.queue_rules import CLAIM_ORDER, queue_rules
from transcribe.services.wake import queue_wake
from transcribe.states import OWNER_WORKER, RETRYABLE, WAITING, ChunkStatus, JobStatus, Priority

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

    Person = User | AnonymousUser | None

__all__ = ["Place", "chunk_retry", "job_hold", "job_place", "job_prioritise", "job_release", "job_run_now"]


class Place(StrEnum):
    """Where to move a waiting job, among those of its priority."""

    FIRST = "first"
    UP = "up"
    DOWN = "down"


def job_place(job: Job, place: Place) -> bool:
    """Move a waiting job among those of its priority; False when it does not wait, or is there already."""
    with transaction.atomic():  # writes, so on SQLite nobody claims or moves meanwhile
        waiting = Job.objects.filter(status__in=WAITING, owner=OWNER_WORKER).order_by(*CLAIM_ORDER)
        mine = waiting.filter(pk=job.pk).first()
        if mine is None:
            return False
        order = list(waiting.filter(priority=mine.priority).values_list("pk", flat=True))
        wanted = placed(order, job.pk, place)
        if wanted == order:
            return False
        # Below 0, because newcomers have 0 and come after all that a person has placed.
        for position, pk in enumerate(wanted, start=-len(wanted)):
            Job.objects.filter(pk=pk, status__in=WAITING).update(position=position)
    return True


def placed(order: list[int], pk: int, place: Place) -> list[int]:
    """The order with one of its members moved."""
    at = order.index(pk)
    to = {Place.FIRST: 0, Place.UP: max(0, at - 1), Place.DOWN: min(len(order) - 1, at + 1)}[place]
    others = [other for other in order if other != pk]
    return [*others[:to], pk, *others[to:]]


def job_prioritise(job: Job, priority: Priority, user: Person) -> bool:
    """Give a waiting or held job another priority; it goes to the end of that one. False when nothing changes."""
    with transaction.atomic():
        here = Job.objects.filter(pk=job.pk, status__in=[*WAITING, JobStatus.PAUSED]).exclude(priority=priority)
        if here.update(priority=priority, position=0) != 1:
            return False
        _note(job, f"priority {priority.label.lower()}, set by {_who(user)}")
    return True


def job_hold(job: Job, user: Person) -> bool:
    """Keep a job from running until it is released. A running one stops, and is held when its process is gone.

    Returns False when it has ended, or is held already.
    """
    reason = f"held by {_who(user)}"
    for _ in range(2):  # the job may be claimed between our look and our update
        job.refresh_from_db()
        if job.status in WAITING and job.move(JobStatus.PAUSED, reason):
            return True
        if job.status == JobStatus.RUNNING:
            running = Job.objects.filter(
                pk=job.pk, status=JobStatus.RUNNING, attempt=job.attempt, cancel_requested=False, hold_requested=False
            )
            if running.update(hold_requested=True, activity="Stopping …", reason=reason) == 1:
                job.refresh_from_db()
                return True
    return False


def job_release(job: Job, user: Person) -> bool:
    """Let a held job wait for its turn again, at the place it had."""
    job.refresh_from_db()
    with transaction.atomic():
        released = job.status == JobStatus.PAUSED and job.move(JobStatus.QUEUED, f"released by {_who(user)}")
        if released and job.owner == OWNER_WORKER:
            queue_wake()
    return released


def job_run_now(job: Job, user: Person) -> bool:
    """Let this job run outside the hours. Overrides the hours and nothing else: the gate is asked as ever.

    Returns False when it has ended, or may run at any time already.
    """
    with transaction.atomic():
        here = Job.objects.filter(pk=job.pk, status__in=[*WAITING, JobStatus.RUNNING, JobStatus.PAUSED])
        if not queue_rules().schedule.openings or here.filter(ignores_hours=False).update(ignores_hours=True) != 1:
            return False
        _note(job, f"to run outside the hours, too: asked for by {_who(user)}")
        queue_wake()
    return True


def chunk_retry(chunk: Chunk, user: Person) -> bool:
    """Queue an ended job again for this one chunk that was set aside; all others stay as they are.

    Returns False when the chunk is not set aside, or its job has not ended.
    """
    job = chunk.job
    job.refresh_from_db()
    if job.status not in RETRYABLE:
        return False
    with transaction.atomic():
        again = Chunk.objects.filter(pk=chunk.pk, status=ChunkStatus.QUARANTINED).update(
            status=ChunkStatus.PENDING, attempts=0, engine_losses=0, lost_at_window=None, error=""
        )
        moved = again == 1 and job.move(
            JobStatus.QUEUED, f"chunk {chunk.index + 1} is tried again, asked for by {_who(user)}", **queued_anew()
        )
        if not moved:
            transaction.set_rollback(True)
            return False
        queue_wake()
    return True


def queued_anew() -> dict[str, object]:
    """What an ended job that waits again begins with: no wish of its last life is left."""
    return {
        "owner": OWNER_WORKER,
        "cancel_requested": False,
        "hold_requested": False,
        "ignores_hours": False,
        "position": 0,
        "finished_at": None,
    }


def _note(job: Job, reason: str) -> None:
    """An event that changes no status."""
    row = Job.objects.get(pk=job.pk)
    JobEvent.objects.create(job=row, old=row.status, new=row.status, reason=reason, attempt=row.attempt)


def _who(user: Person) -> str:
    return user.get_username() if user is not None and user.is_authenticated else "the command line"
