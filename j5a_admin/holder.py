"""Stop the holder of the lock for a person: cancel its job first, or the worker would start it again at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from gate.core.groups import group_left_after
from gate.core.readings import LockReading
from gate.models import LockEventKind
from gate.services import holder_refusal, holder_stop
from gate.services.lock import lock_event
from j5a_admin.job_links import job_number
from transcribe.models import Job
from transcribe.services import job_cancel
from transcribe.states import JobStatus

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

__all__ = ["Seen", "StopAnswer", "holder_job", "holder_stop_for"]

# The worker looks every second whether its job was cancelled, and ends its engine by force.
_WORKER_SECONDS = 4.0


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a person saw and agreed to stop: an engine keeps its PID when it goes on with another job."""

    pid: int
    job_ref: str


@dataclass(frozen=True, kw_only=True)
class StopAnswer:
    """`is_gone`: no process of the holder's group is left."""

    sentence: str
    is_gone: bool


def holder_job(reading: LockReading) -> Job | None:
    """The job of this panel that runs under the lock."""
    number = job_number(reading.holder.job_ref) if reading.is_live and reading.holder is not None else None
    if number is None:
        return None
    return Job.objects.filter(pk=number, status=JobStatus.RUNNING, host=settings.HOST_ID).first()


def holder_stop_for(user: User | AnonymousUser, reading: LockReading, *, seen: Seen, why: str) -> StopAnswer:
    """Stop what was seen, if that still holds the lock; what was done or refused is a lock event."""
    who = user.get_username()
    now = "" if reading.holder is None else reading.holder.job_ref
    if reading.held_by_pid == seen.pid and now != seen.job_ref:
        refusal = f"it works for {now or 'nobody named'} by now, not for {seen.job_ref or 'nobody named'}"
        lock_event(LockEventKind.REFUSED, who=who, why=f"stopping refused: {refusal}", reading=reading)
        return StopAnswer(sentence=f"Not stopped: {refusal}.", is_gone=False)
    job = holder_job(reading)
    if job is not None and reading.held_by_pid == seen.pid and not holder_refusal(reading):
        job_cancel(job, user)
        # Killed under the worker's hands, the engine would count as lost by itself.
        if not group_left_after(seen.pid, _WORKER_SECONDS):
            return _ended_by_worker(job, who, reading, seen=seen, why=why)
    stopped = holder_stop(who, why, expected_pid=seen.pid)
    return StopAnswer(sentence=stopped.sentence, is_gone=stopped.is_gone)


def _ended_by_worker(job: Job, who: str, reading: LockReading, *, seen: Seen, why: str) -> StopAnswer:
    done = f"Job {job.pk} was cancelled and its worker ended process group {seen.pid}; no process of it is left."
    lock_event(LockEventKind.STOPPED, who=who, why=f"{why}. {done}".lstrip(". "), reading=reading)
    return StopAnswer(sentence=done, is_gone=True)
