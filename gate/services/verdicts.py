"""Ask the gate, and keep its answers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.db import transaction

from gate.conf import host_id, lock_path
from gate.core.cooling import SensorPoint, cooling_seconds
from gate.core.evaluate import evaluate
from gate.core.heldlock import HeldLock
from gate.core.policy import GatePolicy
from gate.core.readings import LockReading, Snapshot
from gate.core.requirement import Requirement
from gate.core.sensors import SensorMemory, take_snapshot
from gate.core.verdict import Verdict
from gate.models import GateState, SensorSample, VerdictRecord
from gate.services.heat import Remembered, gate_remember, gate_remembered
from gate.services.policy import policy_in_force, policy_note

__all__ = ["PURPOSE_START", "gate_evaluate", "gate_preview", "gate_preview_many", "snapshot_take"]

# Every admission under this purpose gets a row of its own; under any other, equal ones are counted.
PURPOSE_START = "start"
_COOLING_WINDOW = timedelta(seconds=60)  # older samples are from before it began to cool

_memory = SensorMemory()  # of this process; what must outlive it is in GateState


def snapshot_take() -> Snapshot:
    """Read the machine."""
    return _snapshot(policy_in_force(), gate_remembered())


def _snapshot(
    policy: GatePolicy, before: Remembered, *, held: HeldLock | None = None, trust_holder: bool = True
) -> Snapshot:
    """Read the machine. `held` is our own hold of the lock: looked at, then counted as ours.

    `trust_holder`: what the holder of the lock started is its own. Not so at the moment of taking it: what the
    holder had started before was never admitted.
    """
    _memory.ever_seen = _memory.ever_seen or before.sensor_ever_seen
    own_pids = {os.getpid()} | ({held.record.pid} if held is not None and trust_holder else set())
    snapshot = take_snapshot(
        policy,
        lock_path(),
        known=_memory,
        own_pids=frozenset(own_pids),
        host=host_id(),
        trust_holder=trust_holder,
    )
    return snapshot if held is None else replace(snapshot, lock=_own_lock(snapshot.lock, held))


def gate_evaluate(
    requirement: Requirement,
    *,
    purpose: str,
    held: HeldLock | None = None,
    job_ref: str = "",
    trust_holder: bool = True,
) -> Verdict:
    """Ask the gate and keep the answer: each admission of a start, each block, each change."""
    policy = policy_in_force()
    before = gate_remembered()
    snapshot = _snapshot(policy, before, held=held, trust_holder=trust_holder)
    with transaction.atomic():
        policy_note(policy=policy)
        (verdict,) = _evaluate(snapshot, policy, before, (requirement,))
        GateState.objects.filter(host=host_id()).update(last_fingerprint=verdict.fingerprint)
        _verdict_record(verdict, purpose=purpose, job_ref=job_ref)
    return verdict


def gate_preview(requirement: Requirement) -> Verdict:
    """Would it start now? Keeps nothing but the heat latch."""
    return gate_preview_many((requirement,))[0]


def gate_preview_many(requirements: Sequence[Requirement]) -> list[Verdict]:
    """`gate_preview` for each, in their order. The machine is read once, so that the answers fit together."""
    policy = policy_in_force()
    before = gate_remembered()
    return _evaluate(_snapshot(policy, before), policy, before, requirements)


def _evaluate(
    snapshot: Snapshot, policy: GatePolicy, before: Remembered, requirements: Sequence[Requirement]
) -> list[Verdict]:
    """Evaluate with the stored latch, and store what it is afterwards: the same for all, it knows no model."""
    snapshot = _with_cooling(snapshot, policy)
    verdicts = [evaluate(snapshot, policy, requirement, before.latch) for requirement in requirements]
    gate_remember(
        before,
        latched=verdicts[0].latched if verdicts else before.latch.tripped,
        sensor_ever_seen=before.sensor_ever_seen or snapshot.temperature.ever_seen,
    )
    return verdicts


def _with_cooling(snapshot: Snapshot, policy: GatePolicy) -> Snapshot:
    """A hot reading gets the expected wait, from the samples that the sampler stored last."""
    sensor = snapshot.temperature.deciding
    if sensor is None or sensor.celsius is None or sensor.celsius < policy.reset_celsius:
        return snapshot
    now = datetime.fromtimestamp(snapshot.taken_at, UTC)
    samples = SensorSample.objects.filter(
        host=host_id(), sensor=sensor.id, celsius__isnull=False, taken_at__gte=now - _COOLING_WINDOW, taken_at__lte=now
    ).order_by("taken_at")
    points = [SensorPoint(sample.taken_at.timestamp(), sample.celsius or 0.0) for sample in samples]
    points.append(SensorPoint(snapshot.taken_at, sensor.celsius))
    expected = cooling_seconds(points, below_celsius=policy.reset_celsius)
    return replace(snapshot, temperature=replace(snapshot.temperature, cooling_seconds=expected))


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
