"""Ask the gate, hold the lock. Every face of the gate (panel, worker, commands) goes through these."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime

from django.db import transaction

from gate.conf import gate_policy, heavy_lock, host_id, lock_path
from gate.core.errors import LockHeld
from gate.core.evaluate import evaluate
from gate.core.heldlock import HeldLock
from gate.core.hysteresis import Latch
from gate.core.identity import record_for
from gate.core.lockfile import ClearedLock
from gate.core.readings import LockReading, Snapshot
from gate.core.requirement import Requirement
from gate.core.sensors import SensorMemory, take_snapshot
from gate.core.verdict import Verdict
from gate.models import GateState, LockEvent, LockEventKind, VerdictRecord

__all__ = [
    "PURPOSE_START",
    "gate_evaluate",
    "gate_preview",
    "lock_acquire",
    "lock_clear_stale",
    "lock_prepare",
    "lock_release",
    "lock_status",
    "snapshot_take",
]

# Every admission under this purpose gets a row of its own; under any other, equal ones are counted.
PURPOSE_START = "start"

_memory = SensorMemory()  # of this process; what must outlive it is in GateState


# ── the gate ─────────────────────────────────────────────────────────────────────────────────────
def snapshot_take(*, held: HeldLock | None = None) -> Snapshot:
    """Read the machine. `held` is our own hold of the lock: looked at, then counted as ours."""
    _memory.ever_seen = _memory.ever_seen or _state().sensor_ever_seen
    own_pids = {os.getpid()} | ({held.record.pid} if held is not None else set())
    snapshot = take_snapshot(gate_policy(), lock_path(), known=_memory, own_pids=frozenset(own_pids), host=host_id())
    return snapshot if held is None else replace(snapshot, lock=_own_lock(snapshot.lock, held))


def gate_evaluate(
    requirement: Requirement, *, purpose: str, held: HeldLock | None = None, job_ref: str = ""
) -> Verdict:
    """Ask the gate and keep the answer: each admission of a start, each block, each change."""
    snapshot = snapshot_take(held=held)
    with transaction.atomic():
        verdict = _evaluate(snapshot, requirement)
        GateState.objects.filter(host=host_id()).update(last_fingerprint=verdict.fingerprint)
        _verdict_record(verdict, purpose=purpose, job_ref=job_ref)
    return verdict


def gate_preview(requirement: Requirement) -> Verdict:
    """Would it start now? Keeps nothing but the heat latch."""
    return _evaluate(snapshot_take(), requirement)


def _evaluate(snapshot: Snapshot, requirement: Requirement) -> Verdict:
    """Evaluate with the stored latch, and store what it is afterwards."""
    state = _state()
    verdict = evaluate(snapshot, gate_policy(), requirement, Latch(state.latched))
    ever_seen = state.sensor_ever_seen or snapshot.temperature.ever_seen
    if (verdict.latched, ever_seen) != (state.latched, state.sensor_ever_seen):
        state.latched, state.sensor_ever_seen = verdict.latched, ever_seen
        state.save(update_fields=["latched", "sensor_ever_seen", "updated_at"])
    return verdict


def _state() -> GateState:
    state, _ = GateState.objects.get_or_create(host=host_id())
    return state


def _own_lock(reading: LockReading, held: HeldLock) -> LockReading:
    problem = held.problem()
    if problem is None:
        return reading.as_ours()
    return replace(reading, ours=True, problem=problem, sentence=problem)


def _verdict_record(verdict: Verdict, *, purpose: str, job_ref: str) -> None:
    taken_at = datetime.fromtimestamp(verdict.taken_at, UTC)
    series = VerdictRecord.objects.filter(host=host_id(), purpose=purpose, job_ref=job_ref)
    last = series.order_by("-pk").first()
    is_new_start = verdict.admitted and purpose == PURPOSE_START
    if last is not None and last.fingerprint == verdict.fingerprint and not is_new_start:
        last.repeats, last.last_at = last.repeats + 1, taken_at
        last.save(update_fields=["repeats", "last_at"])
        return
    VerdictRecord.objects.create(
        host=host_id(),
        taken_at=taken_at,
        last_at=taken_at,
        model=verdict.requirement.model,
        purpose=purpose,
        admitted=verdict.admitted,
        reason=verdict.reason,
        job_ref=job_ref,
        fingerprint=verdict.fingerprint,
        data=verdict.to_json_dict(),
    )


# ── the lock ─────────────────────────────────────────────────────────────────────────────────────
def lock_prepare() -> None:
    """Make the lock's directory. Raises LockUnsafe or LockUnwritable."""
    heavy_lock().prepare()


def lock_status() -> LockReading:
    return heavy_lock().inspect()


def lock_acquire(*, model: str, job_ref: str = "", command: str = "", timeout_seconds: float = 0.0) -> HeldLock:
    """Take the lock for this process. Raises LockHeld (recorded), LockUnsafe or LockUnwritable."""
    lock = heavy_lock()
    record = record_for(os.getpid(), machine=lock.machine, model=model, job_ref=job_ref, command=command)
    try:
        held = lock.acquire(record, timeout_seconds=timeout_seconds)
    except LockHeld as refused:
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
    _event(LockEventKind.RELEASED, pid=held.record.pid, who=held.record.job_ref, why=why)
    return is_free


def lock_clear_stale(who: str, why: str) -> ClearedLock:
    """Clear a lock that is proved stale. Raises LockHeld for a live holder, LockNotStale for none."""
    try:
        cleared = heavy_lock().clear_stale(who, why)
    except LockHeld as refused:
        _event(LockEventKind.REFUSED, who=who, why=f"clearing refused: {why}", reading=refused.reading)
        raise
    _event(LockEventKind.CLEARED, who=who, why=why, reading=cleared.before)
    return cleared


def _acquisition_record(held: HeldLock) -> None:
    record = held.record
    with transaction.atomic():
        if held.took_over is not None:
            _event(LockEventKind.STALE_FOUND, why=held.took_over.sentence, reading=held.took_over)
        _event(LockEventKind.ACQUIRED, pid=record.pid, who=record.job_ref, why=record.model)


def _refusal_record(reading: LockReading, job_ref: str) -> None:
    """Once for each holder: a job that asks every 30 s must not fill the history."""
    last = LockEvent.objects.filter(host=host_id()).order_by("-pk").first()
    again = last is not None and last.kind == LockEventKind.REFUSED
    if last is not None and again and (last.pid, last.who) == (reading.held_by_pid, job_ref):
        return
    _event(LockEventKind.REFUSED, who=job_ref, why=reading.sentence, reading=reading)


def _event(
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
