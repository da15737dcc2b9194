"""Memory against one model: now, later, never, and not even the smallest."""

from __future__ import annotations

import pytest

from gate.core.policy import GatePolicy
from gate.core.readings import Program
from gate.core.requirement import SIZES, requirement_for_model
from gate.core.units import GIB, MIB
from j5a_admin.doctor.findings import Finding, Status
from j5a_admin.doctor.memory import judge_model
from tests.support.builders import memory

POLICY = GatePolicy(margin_bytes=4 * GIB)


def judged(model: str, available_bytes: int | None, total_bytes: int | None, **more: object) -> Finding:
    return judge_model(memory(available_bytes, total_bytes, **more), POLICY, requirement_for_model(model))


@pytest.mark.parametrize(
    ("available_bytes", "total_bytes", "status"),
    [
        (14 * GIB, 16 * GIB, Status.PASS),
        (14 * GIB - 1, 16 * GIB, Status.WARN),
        (14 * GIB - 1, 14 * GIB, Status.WARN),
        (12 * GIB, 14 * GIB - 1, Status.WARN),
    ],
)
def test_it_judges_large_v3(available_bytes: int, total_bytes: int, status: Status) -> None:
    assert judged("large-v3", available_bytes, total_bytes).status is status


def test_it_says_how_much_is_missing_now_and_what_uses_it() -> None:
    finding = judged("large-v3", 11 * GIB, 16 * GIB, largest=(Program(name="firefox", pid=7, rss_bytes=2 * GIB),))
    assert "cannot start now: 11.0 GiB available, 14.0 GiB needed" in finding.sentence
    assert finding.advice == "3.0 GiB short: the largest programs are firefox 2.0 GiB."


def test_it_names_the_largest_model_that_fits() -> None:
    finding = judged("large-v3", 7 * GIB, 8 * GIB)
    assert "This machine can never start large-v3" in finding.sentence
    assert finding.advice.startswith("Use small ")


@pytest.mark.parametrize(
    ("total_bytes", "statuses"),
    [
        (5 * GIB, [Status.WARN] * 6),
        (5 * GIB - 1, [Status.FAIL] + [Status.WARN] * 5),
        (1 * MIB, [Status.FAIL] + [Status.WARN] * 5),
    ],
)
def test_it_fails_once_when_not_even_the_smallest_can_ever_start(total_bytes: int, statuses: list[Status]) -> None:
    assert [judged(model, 0, total_bytes).status for model in SIZES] == statuses


def test_it_fails_when_memory_cannot_be_read() -> None:
    finding = judged("tiny", None, 16 * GIB, problem="no such file")
    assert finding.status is Status.FAIL
    assert "no such file" in finding.sentence
    assert finding.advice
