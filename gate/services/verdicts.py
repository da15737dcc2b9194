"""Ask the gate, and keep its answers."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime

from django.db import transaction

from gate.conf import gate_policy, host_id, lock_path
from gate.core.evaluate import evaluate
from gate.core.heldlock import HeldLock
from gate.core.hysteresis import Latch
from gate.core.readings import LockReading, Snapshot
from gate.core.requirement import Requirement
from gate.core.sensors import SensorMemory, take_snapshot
from gate.core.verdict import Verdict
from gate.models import GateState, VerdictRecord

__all__ = ["PURPOSE_START", "gate_evaluate", "gate_preview", "snapshot_take"]

# Every admission under this purpose gets a row of its own; under any other, equal ones are counted.
PURPOSE_START = "start"

_memory = SensorMemory()  # of this process; what must outlive it is in GateState


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
