"""Stop the holder of the lock for a person: cancel its job first, or the worker would start it again at once."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from gate.core.identity import group_members
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

__all__ = ["Seen", "StopAnswer", "holder_job", "holder_stop_for", "stop_refusal"]

# The worker looks every second whether its job was cancelled, and ends its engine by force.
_WORKER_SECONDS = 4.0
_POLL_SECONDS = 0.1


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


def stop_refusal(reading: LockReading) -> str:
    """Why the holder may not be stopped from here; empty when it may."""
    try:
        return holder_refusal(reading)
    except OSError:  # ended between two looks
        return "its holder has just ended"


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
    if job is not None and reading.held_by_pid == seen.pid and not stop_refusal(reading):
        job_cancel(job, user)
        if _worker_ends(seen.pid):
            return _ended_by_worker(job, who, reading, seen=seen, why=why)
    stopped = holder_stop(who, why, expected_pid=seen.pid)
    return StopAnswer(sentence=stopped.sentence, is_gone=stopped.is_gone)


def _worker_ends(group: int) -> bool:
    """Wait for the worker to end its engine: killed under its hands, the engine would count as lost by itself."""
    deadline = time.monotonic() + _WORKER_SECONDS
    while (left := group_members(group)) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return not left


def _ended_by_worker(job: Job, who: str, reading: LockReading, *, seen: Seen, why: str) -> StopAnswer:
    done = f"Job {job.pk} was cancelled and its worker ended process group {seen.pid}; no process of it is left."
    lock_event(LockEventKind.STOPPED, who=who, why=f"{why}. {done}".lstrip(". "), reading=reading)
    return StopAnswer(sentence=done, is_gone=True)
