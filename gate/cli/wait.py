"""`gate wait`: until the gate admits, saying the reason whenever it changes."""

from __future__ import annotations

import time
from collections.abc import Callable

from gate.core.requirement import Requirement
from gate.core.verdict import Verdict
from gate.services import gate_evaluate

__all__ = ["wait_until_admitted"]

POLL_SECONDS = 2.0


def wait_until_admitted(
    requirement: Requirement,
    *,
    timeout_seconds: float | None,
    say: Callable[[str], None],
    purpose: str = "wait",
    only_if_it_can: bool = False,
) -> Verdict:
    """The last verdict: admitted, or, when the time is over, blocked. No timeout: wait for as long as it takes.

    `only_if_it_can`: a machine that can never admit it is not waited for.
    """
    deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
    said = ""
    while True:
        verdict = gate_evaluate(requirement, purpose=purpose)
        if verdict.admitted:
            return verdict
        if only_if_it_can and verdict.never_passes:
            return verdict
        if verdict.fingerprint != said:
            said = verdict.fingerprint
            say(verdict.reason_and_advice)
        left_seconds = POLL_SECONDS if deadline is None else deadline - time.monotonic()
        if left_seconds <= 0:
            return verdict
        time.sleep(min(POLL_SECONDS, left_seconds))
