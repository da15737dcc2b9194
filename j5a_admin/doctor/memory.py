"""Memory against each size of model, and swap."""

from __future__ import annotations

from gate.conf import gate_policy
from gate.core.checks import check_memory, never_passes
from gate.core.policy import GatePolicy
from gate.core.readings import MemoryReading
from gate.core.requirement import SIZES, Requirement, largest_fitting, requirement_for_model
from gate.core.units import bytes_text
from gate.core.verdict import Outcome
from j5a_admin.doctor.findings import Finding, failed, passed, warned

__all__ = ["judge_model", "judge_swap", "memory_findings"]

# earlyoom acts when 10 % of the swap are left (its default); until then there is time to do something.
SWAP_NEARLY_FULL = 0.9


def memory_findings(reading: MemoryReading) -> tuple[Finding, ...]:
    policy = gate_policy()
    models = [judge_model(reading, policy, requirement_for_model(name)) for name in SIZES]
    return (*models, judge_swap(reading.swap_used_bytes, reading.swap_total_bytes))


def judge_model(reading: MemoryReading, policy: GatePolicy, requirement: Requirement) -> Finding:
    """The gate's own check of memory, asked for one model."""
    result = check_memory(reading, policy, requirement)
    subject = f"memory for {requirement.model}"
    if result.outcome is Outcome.PASS:
        return passed(subject, f"It could start now: {result.summary}.")
    if result.outcome is Outcome.UNKNOWN:
        return failed(subject, f"Nothing heavy can start: {result.summary}.", result.unblock)
    if not never_passes(reading, policy, requirement):
        return warned(subject, f"It cannot start now: {result.summary}.", result.unblock)
    return _never(subject, result.unblock, largest_fitting(reading.total_bytes or 0, policy), requirement)


def _never(subject: str, sentence: str, fits: Requirement | None, requirement: Requirement) -> Finding:
    if fits is not None:
        return warned(subject, sentence, f"Use {fits.model} or a smaller one here; more needs more memory.")
    advice = "Add memory, or lower J5A_MARGIN_GIB if less may stay free while Whisper runs."
    return (failed if requirement.model == SIZES[0] else warned)(subject, sentence, advice)


def judge_swap(used_bytes: int | None, total_bytes: int | None) -> Finding:
    if used_bytes is None or total_bytes is None:
        return warned("swap", "The use of swap could not be read.", "Look yourself: `swapon --show`.")
    if total_bytes == 0:
        return warned(
            "swap",
            "There is no swap: when memory runs out the kernel kills a program at once.",
            "Make a swap file of 2 GiB or more (`man mkswap`). Inside a container the host decides.",
        )
    use = f"{bytes_text(used_bytes)} of {bytes_text(total_bytes)} swap are used"
    if used_bytes >= SWAP_NEARLY_FULL * total_bytes:
        return warned("swap", f"Nearly full: {use}.", "Stop programs that are not needed, or make the swap larger.")
    return passed("swap", f"{use}.")
