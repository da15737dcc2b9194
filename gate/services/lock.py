"""Hold the lock, and keep what happened to it."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime

from django.db import transaction

from gate.conf import heavy_lock, host_id
from gate.core.errors import LockHeld, LockUnsafe
from gate.core.heldlock import HeldLock
from gate.core.identity import parents, record_for
from gate.core.incidents.kinds import IncidentKind
from gate.core.incidents.occurrence import Evidence
from gate.core.lockfile import ClearedLock, HeavyLock
from gate.core.readings import LockReading, LockState
from gate.core.survivors import Survivor
from gate.models import LockEvent, LockEventKind
from gate.services.incidents import incidents_settle
from gate.services.reporting import incident_report

__all__ = [
    "lock_acquire",
    "lock_adopt",
    "lock_clear_stale",
    "lock_event",
    "lock_give_back",
    "lock_prepare",
    "lock_publish",
    "lock_release",
    "lock_resume",
    "lock_status",
    "lock_survivor_name",
]

logger = logging.getLogger(__name__)


def lock_prepare() -> None:
    """Make the lock's directory. Raises LockUnsafe or LockUnwritable."""
    heavy_lock().prepare()


def lock_publish() -> None:
    """Make the lock's directory and file, for a shell that will open it. Raises LockUnsafe or LockUnwritable."""
    heavy_lock().publish()


def lock_status() -> LockReading:
    return heavy_lock().inspect()


def lock_acquire(*, model: str, job_ref: str = "", command: str = "", timeout_seconds: float = 0.0) -> HeldLock:
    """Take the lock for this process. Raises LockHeld (recorded), LockUnsafe or LockUnwritable."""
    lock = heavy_lock()
    record = record_for(os.getpid(), machine=lock.machine, model=model, job_ref=job_ref, command=command)
    try:
        held = lock.acquire(record, timeout_seconds=timeout_seconds)
    except LockHeld as refused:
        _survivor_record(refused.survivor, job_ref)
        _refusal_record(refused.reading, job_ref)
        raise
    try:
        _acquisition_record(held)
    except BaseException:  # a hold that nobody can see in the history is not kept
        held.release()
        raise
    return held


def lock_release(held: HeldLock, *, why: str = "") -> bool:
    """Give it back; False when a child still keeps it."""
    is_free = held.release()
    why = why or ("" if is_free else "a process that inherited it still keeps it")
    lock_event(LockEventKind.RELEASED, pid=held.record.pid, who=held.record.job_ref, why=why)
    return is_free


def lock_adopt(descriptor: int, *, pid: int, model: str, command: str) -> HeldLock | None:
    """As `lock_acquire`, for the shell `pid` that opened the descriptor and keeps it; None: open the path anew."""
    lock = heavy_lock()
    _require_caller(lock, pid)
    job_ref = f"script {command.split()[0] if command.split() else pid}"
    record = record_for(pid, machine=lock.machine, model=model, job_ref=job_ref, command=command, beats=False)
    try:
        held = lock.adopt(descriptor, record)
    except LockHeld as refused:
        _survivor_record(refused.survivor, job_ref)
        _refusal_record(refused.reading, job_ref)
        raise
    if held is not None:
        try:
            _acquisition_record(held)
        except BaseException:
            held.give_back(_caller(pid))
            raise
    return held


def lock_give_back(held: HeldLock, *, why: str = "") -> tuple[int, ...]:
    """Release what `lock_adopt` took. Returns the PIDs of the shell's children that still keep it."""
    survivors = held.give_back(_caller(held.record.pid))
    kept = f"still kept by PID {', '.join(map(str, survivors))}" if survivors else ""
    lock_event(LockEventKind.RELEASED, pid=held.record.pid, who=held.record.job_ref, why=why or kept)
    return survivors


def lock_resume(descriptor: int, *, pid: int) -> HeldLock:
    """The hold of the shell `pid`, to give it back. Raises LockLost when it is not there any more."""
    lock = heavy_lock()
    _require_caller(lock, pid)
    return lock.resume(descriptor, pid)


def _require_caller(lock: HeavyLock, pid: int) -> None:
    """Raise LockUnsafe unless `pid` started this process: nobody takes or gives back for somebody else."""
    if pid not in parents(os.getpid()):
        raise LockUnsafe(lock.path, f"PID {pid} did not start this command")


def _caller(pid: int) -> frozenset[int]:
    """The shell and the processes between it and this one: they have the descriptor, and are about to close it."""
    line = parents(os.getpid())
    return frozenset(line[: line.index(pid) + 1] if pid in line else (pid,))


def lock_clear_stale(who: str, why: str) -> ClearedLock:
    """Clear a lock that is proved stale. Raises LockHeld for a live holder, LockNotStale for none."""
    try:
        cleared = heavy_lock().clear_stale(who, why)
    except LockHeld as refused:
        lock_event(LockEventKind.REFUSED, who=who, why=f"clearing refused: {why}", reading=refused.reading)
        raise
    lock_event(LockEventKind.CLEARED, who=who, why=why, reading=cleared.before)
    return cleared


def lock_survivor_name(who: str) -> bool:
    """Name the process that survived a killed holder, if there is one. Raises LockUnsafe or LockUnwritable."""
    survivor = heavy_lock().survivor_name()
    _survivor_record(survivor, who)
    return survivor is not None


def _survivor_record(survivor: Survivor | None, who: str) -> None:
    if survivor is None:
        return
    LockEvent.objects.create(
        host=host_id(),
        kind=LockEventKind.NAMED_OVER,
        at=datetime.now(UTC),
        pid=survivor.pid,
        who=who,
        why=survivor.sentence,
        evidence={
            "state": LockState.HELD,
            "before_pid": survivor.before_pid,
            "command": survivor.record.command,
            "proof": list(survivor.proof),
        },
    )


def _acquisition_record(held: HeldLock) -> None:
    record = held.record
    with transaction.atomic():
        if held.took_over is not None:
            lock_event(LockEventKind.STALE_FOUND, why=held.took_over.sentence, reading=held.took_over)
            _stale_report(held.took_over)
        lock_event(LockEventKind.ACQUIRED, pid=record.pid, who=record.job_ref, why=record.model)


def _stale_report(found: LockReading) -> None:
    """The sampler may have told of it already: it is one stale lock, and over now. Never raises."""
    end = "The lock was taken over by the next start."
    try:
        with transaction.atomic():
            if incidents_settle(IncidentKind.LOCK_STALE, end, subject="lock"):
                return
    except Exception:  # nothing that is told of it may keep somebody from the lock
        logger.exception("the incident of the stale lock could not be resolved")
    incident_report(
        IncidentKind.LOCK_STALE,
        "lock",
        f"The lock was taken over; it was {found.sentence}.",
        evidence=[Evidence(title="Proof that it was stale", text="\n".join(found.proof))],
        recovery=end,
        settled=True,
    )


def _refusal_record(reading: LockReading, job_ref: str) -> None:
    """Once for each holder and asker: a job that asks every 30 s must not fill the history."""
    mine = LockEvent.objects.filter(host=host_id())
    others = mine.exclude(kind=LockEventKind.REFUSED).order_by("-pk").values_list("pk", flat=True)
    since = others.first() or 0
    if mine.filter(pk__gt=since, kind=LockEventKind.REFUSED, pid=reading.held_by_pid, who=job_ref).exists():
        return
    lock_event(LockEventKind.REFUSED, who=job_ref, why=reading.sentence, reading=reading)


def lock_event(
    kind: LockEventKind,
    *,
    pid: int | None = None,
    who: str = "",
    why: str = "",
    reading: LockReading | None = None,
) -> None:
    evidence: dict[str, object] = {}
    if reading is not None:
        pid = reading.held_by_pid if pid is None else pid
        evidence = {"state": reading.state, "sentence": reading.sentence, "proof": list(reading.proof)}
    LockEvent.objects.create(
        host=host_id(), kind=kind, at=datetime.now(UTC), pid=pid, who=who, why=why, evidence=evidence
    )
