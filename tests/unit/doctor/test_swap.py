"""Swap: none, room, nearly full, unreadable."""

from __future__ import annotations

import pytest

from gate.core.units import GIB
from j5a_admin.doctor.findings import Status
from j5a_admin.doctor.memory import judge_swap


@pytest.mark.parametrize(
    ("used_bytes", "total_bytes", "status", "says"),
    [
        (0, 10 * GIB, Status.PASS, "0 bytes of 10.0 GiB swap are used"),
        (9 * GIB - 1, 10 * GIB, Status.PASS, "swap are used"),
        (9 * GIB, 10 * GIB, Status.WARN, "Nearly full: 9.0 GiB of 10.0 GiB"),
        (10 * GIB, 10 * GIB, Status.WARN, "Nearly full"),
        (0, 0, Status.WARN, "no swap"),
        (None, 10 * GIB, Status.WARN, "could not be read"),
        (0, None, Status.WARN, "could not be read"),
    ],
)
def test_it_judges_swap(used_bytes: int | None, total_bytes: int | None, status: Status, says: str) -> None:
    finding = judge_swap(used_bytes, total_bytes)
    assert finding.status is status
    assert says in finding.sentence
    assert bool(finding.advice) is (status is Status.WARN)
