from __future__ import annotations

import pytest

from gate.core.checks import check_memory, never_passes
from gate.core.policy import GatePolicy
from gate.core.readings import MemorySource, Program
from gate.core.units import GIB
from gate.core.verdict import Outcome
from tests.support.builders import LARGE, memory

POLICY = GatePolicy()
NEEDED = 14 * GIB


@pytest.mark.parametrize(
    ("available_bytes", "outcome"),
    [(NEEDED - 1, Outcome.BLOCK), (NEEDED, Outcome.PASS), (NEEDED + 1, Outcome.PASS), (0, Outcome.BLOCK)],
)
def test_it_blocks_below_requirement_and_margin(available_bytes: int, outcome: Outcome) -> None:
    assert check_memory(memory(available_bytes), POLICY, LARGE).outcome is outcome


def test_an_unreadable_memory_is_unknown_and_says_why() -> None:
    result = check_memory(memory(None, problem="OSError: gone"), POLICY, LARGE)
    assert result.outcome is Outcome.UNKNOWN
    assert "OSError: gone" in result.summary


def test_a_block_names_what_is_missing_and_the_largest_programs() -> None:
    largest = (
        Program(name="firefox", pid=7, rss_bytes=int(2.2 * GIB)),
        Program(name="python manage.py", pid=8, rss_bytes=GIB),
    )
    result = check_memory(memory(int(10.9 * GIB), largest=largest), POLICY, LARGE)
    assert result.unblock == "3.1 GiB short: the largest programs are firefox 2.2 GiB, python manage.py 1.0 GiB."
    assert result.summary == "10.9 GiB available, 14.0 GiB needed (large-v3 10.0 GiB + margin 4.0 GiB)"


def test_reading_limit_unit_and_source_are_there() -> None:
    result = check_memory(memory(5 * GIB, source=MemorySource.CGROUP_V2), POLICY, LARGE)
    assert (result.reading, result.limit, result.unit) == (5 * GIB, NEEDED, "bytes")
    assert result.source == "cgroup v2"


@pytest.mark.parametrize(
    ("total_bytes", "never"), [(NEEDED - 1, True), (NEEDED, False), (NEEDED + 1, False), (None, False)]
)
def test_it_knows_when_it_can_never_pass(total_bytes: int | None, never: bool) -> None:
    assert never_passes(memory(1, total_bytes), POLICY, LARGE) is never


def test_a_machine_that_is_too_small_is_told_the_largest_model_that_fits() -> None:
    result = check_memory(memory(6 * GIB, 8 * GIB), POLICY, LARGE)
    assert "can never start large-v3" in result.unblock
    assert result.unblock.endswith("The largest model that fits is small.")


def test_a_machine_too_small_for_any_model_is_told_so() -> None:
    result = check_memory(memory(GIB, 2 * GIB), POLICY, LARGE)
    assert result.unblock.endswith("No model fits with this margin.")


def test_its_evidence_holds_all_that_was_read() -> None:
    reading = memory(
        5 * GIB,
        16 * GIB,
        swap_used_bytes=GIB,
        swap_total_bytes=2 * GIB,
        psi_full_avg10=12.34,
        largest=(Program(name="firefox", pid=7, rss_bytes=2 * GIB),),
    )
    assert check_memory(reading, POLICY, LARGE).evidence == (
        "requirement: 10.0 GiB (test)",
        "limited by: host",
        "in all: 16.0 GiB",
        "swap used: 1.0 GiB of 2.0 GiB",
        "memory pressure: all tasks waited 12.3 % of the last 10 s",
        "firefox (PID 7): 2.0 GiB",
    )


@pytest.mark.parametrize(("used_bytes", "total_bytes"), [(None, None), (None, GIB), (0, 0), (0, None)])
def test_its_evidence_leaves_out_what_was_not_readable(used_bytes: int | None, total_bytes: int | None) -> None:
    reading = memory(5 * GIB, None, swap_used_bytes=used_bytes, swap_total_bytes=total_bytes)
    assert check_memory(reading, POLICY, LARGE).evidence == ("requirement: 10.0 GiB (test)", "limited by: host")
