"""A heavy process that runs: paused from 80 °C until below 75 °C, ended from 90 °C or for want of memory."""

from __future__ import annotations

import pytest

from gate.core.policy import GatePolicy
from gate.core.readings import TemperatureReading, Vitals
from gate.core.units import GIB
from gate.core.watch import Act, Cause, Watched, WatchState, watch
from tests.support.builders import memory, temperature

POLICY = GatePolicy()
PAUSED = WatchState(paused_at_seconds=100.0)
HOT = WatchState(hot_looks=1)


def look(
    celsius: float | None,
    state: WatchState = WatchState(),  # noqa: B008 - frozen
    *,
    available_bytes: int | None = 8 * GIB,
    at_seconds: float = 200.0,
) -> Watched:
    vitals = Vitals(taken_at=0.0, memory=memory(available_bytes), temperature=temperature(celsius))
    return watch(vitals, POLICY, state, at_seconds=at_seconds)


@pytest.mark.parametrize(
    ("celsius", "state", "act"),
    [
        (79.9, WatchState(), Act.NONE),
        (80.0, WatchState(), Act.PAUSE),
        (89.9, WatchState(), Act.PAUSE),
        (90.0, WatchState(), Act.PAUSE),
        (90.0, HOT, Act.END),
        (89.9, HOT, Act.PAUSE),
        (80.0, PAUSED, Act.NONE),
        (75.0, PAUSED, Act.NONE),
        (74.9, PAUSED, Act.RESUME),
        (90.0, PAUSED, Act.NONE),
        (None, WatchState(), Act.NONE),
        (None, PAUSED, Act.NONE),
        (float("nan"), WatchState(), Act.NONE),
    ],
)
def test_it_acts_at_the_marks(celsius: float | None, state: WatchState, act: Act) -> None:
    assert look(celsius, state).act is act


def test_it_remembers_since_when_it_is_paused_and_forgets_it_when_it_goes_on() -> None:
    paused = look(81.0, at_seconds=200.0)
    assert paused.state.paused_at_seconds == 200.0
    resumed = look(74.0, paused.state, at_seconds=330.0)
    assert resumed.state.paused_at_seconds is None
    assert resumed.reason == "74.0 °C, cool again after 2 min"


@pytest.mark.parametrize("state", [WatchState(), PAUSED])
def test_a_sensor_that_does_not_answer_for_thirty_looks_ends_it(state: WatchState) -> None:
    silent = Vitals(taken_at=0.0, memory=memory(8 * GIB), temperature=TemperatureReading(deciding=None, is_silent=True))
    for number in range(30):
        watched = watch(silent, POLICY, state, at_seconds=200.0 + number)
        assert watched.act is (Act.END if number == 29 else Act.NONE)
        state = watched.state
    assert watched.cause is Cause.HEAT
    assert watched.reason == "the sensors could not be read for 30 s, and unwatched it may not run"


def test_one_answer_in_between_begins_anew() -> None:
    silent = WatchState(silent_looks=29)
    assert look(60.0, silent).state.silent_looks == 0
    assert look(None, silent).state.silent_looks == 0, "an error is an answer"


def test_90_degrees_must_be_seen_twice_and_the_first_time_pauses_it() -> None:
    first = look(97.0)
    assert first.act is Act.PAUSE
    assert look(97.0, first.state).act is Act.END
    glitch = look(60.0, first.state)
    assert glitch.act is Act.RESUME
    assert look(97.0, glitch.state).act is Act.PAUSE
    unread = look(None, first.state)
    assert (unread.act, look(97.0, unread.state).act) == (Act.NONE, Act.NONE)


@pytest.mark.parametrize(("at_seconds", "act"), [(3700.0, Act.NONE), (3700.1, Act.END)])
def test_a_pause_of_more_than_an_hour_ends_it(at_seconds: float, act: Act) -> None:
    assert look(78.0, PAUSED, at_seconds=at_seconds).act is act


@pytest.mark.parametrize(
    ("available_bytes", "looks", "act"),
    [(2 * GIB, 5, Act.NONE), (2 * GIB - 1, 2, Act.NONE), (2 * GIB - 1, 3, Act.END), (None, 5, Act.NONE)],
)
def test_little_memory_must_be_seen_three_times(available_bytes: int | None, looks: int, act: Act) -> None:
    state = WatchState()
    for _ in range(looks):
        found = look(45.0, state, available_bytes=available_bytes)
        state = found.state
    assert found.act is act


def test_one_look_with_enough_memory_starts_the_count_again() -> None:
    state = WatchState()
    for available_bytes in (GIB, GIB, 3 * GIB, GIB, GIB):
        found = look(45.0, state, available_bytes=available_bytes)
        state = found.state
    assert found.act is Act.NONE


def test_every_act_has_its_reason_with_the_figures() -> None:
    assert look(81.0).reason == "81.0 °C, limit 80.0 °C; goes on below 75.0 °C"
    assert look(91.0, HOT).reason == "91.0 °C, limit 90.0 °C"
    assert look(78.0, PAUSED, at_seconds=9_000.0).reason == "paused for heat longer than 60 min"


def test_it_says_for_which_cause() -> None:
    assert look(80.0).cause is Cause.HEAT
    assert look(90.0, HOT).cause is Cause.HEAT
    assert look(78.0, PAUSED, at_seconds=9_000.0).cause is Cause.HEAT
    for_memory = look(79.0, WatchState(low_looks=2), available_bytes=GIB)
    assert (for_memory.act, for_memory.cause) == (Act.END, Cause.MEMORY)
    assert look(69.0, PAUSED).cause is None
