"""A running process is ended when all programs of the machine wait for memory, lastingly."""

from __future__ import annotations

import pytest

from gate.core.policy import GatePolicy
from gate.core.readings import Vitals
from gate.core.units import GIB
from gate.core.watch import Act, Cause, Watched, WatchState, pressure_refusal, watch
from tests.support.builders import memory, temperature


def looks(*percents: float | None) -> Watched:
    state = WatchState()
    for percent in percents:
        vitals = Vitals(
            taken_at=0.0, memory=memory(8 * GIB, psi_full_avg10=percent), temperature=temperature(45.0)
        )  # fmt: skip
        found = watch(vitals, GatePolicy(), state, at_seconds=0.0)
        state = found.state
    return found


@pytest.mark.parametrize(
    ("percent", "count", "act"),
    [(50.0, 20, Act.NONE), (50.1, 9, Act.NONE), (50.1, 10, Act.END), (None, 20, Act.NONE)],
)
def test_it_must_be_above_the_limit_ten_times_in_a_row(percent: float | None, count: int, act: Act) -> None:
    assert looks(*[percent] * count).act is act


def test_one_look_without_it_starts_the_count_again() -> None:
    assert looks(*[60.0] * 9, 10.0, *[60.0] * 9).act is Act.NONE


def test_it_says_what_was_seen_and_that_memory_is_the_cause() -> None:
    found = looks(*[63.4] * 10)
    assert found.reason == "all programs wait for memory 63 % of the time, limit 50 %"
    assert found.cause is Cause.MEMORY


@pytest.mark.parametrize(("percent", "waits"), [(None, False), (0.0, False), (50.0, False), (50.1, True)])
def test_nothing_begins_above_the_limit_that_would_end_it(percent: float | None, waits: bool) -> None:
    assert bool(pressure_refusal(percent, GatePolicy())) is waits


def test_a_start_that_waits_says_the_figure_and_the_limit() -> None:
    assert pressure_refusal(63.4, GatePolicy()) == "all programs wait for memory 63 % of the time, limit 50 %"
