"""All five checks over one snapshot. No clock and no reading of anything in here."""

from __future__ import annotations

from gate.core.checks import (
    check_activity,
    check_lock,
    check_memory,
    check_processes,
    check_temperature,
    latch_after,
    never_passes,
)
from gate.core.hysteresis import Latch
from gate.core.policy import GatePolicy
from gate.core.readings import Snapshot
from gate.core.requirement import Requirement
from gate.core.verdict import Verdict

__all__ = ["evaluate"]


def evaluate(snapshot: Snapshot, policy: GatePolicy, requirement: Requirement, latch: Latch) -> Verdict:
    """Run every check, also after one has blocked, so that a person sees all that is in the way."""
    latch = latch_after(snapshot.temperature, policy, latch)
    return Verdict(
        results=(
            check_memory(snapshot.memory, policy, requirement),
            check_temperature(snapshot.temperature, policy, latch),
            check_processes(snapshot.processes),
            check_activity(snapshot.activity, policy),
            check_lock(snapshot.lock),
        ),
        requirement=requirement,
        taken_at=snapshot.taken_at,
        latched=latch.tripped,
        never_passes=never_passes(snapshot.memory, policy, requirement),
    )
