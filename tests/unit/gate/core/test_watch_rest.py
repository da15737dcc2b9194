"""From 70 °C up to the trip mark a running process rests a growing part of each second."""

from __future__ import annotations

import pytest

from gate.core.policy import GatePolicy
from gate.core.watch import Act, Cause, WatchState, rest_share
from tests.unit.gate.core.test_watch import PAUSED, look

POLICY = GatePolicy()


@pytest.mark.parametrize(
    ("celsius", "share"),
    [(None, 0), (45, 0), (69.9, 0), (70, 0), (70.1, 0.006), (75, 0.3), (79.9, 0.594), (80, 0.6), (99, 0.6)],
)  # fmt: skip
def test_it_rises_in_a_line(celsius: float | None, share: float) -> None:
    assert rest_share(celsius, POLICY) == pytest.approx(share)


@pytest.mark.parametrize("rest_celsius", [80.0, 85.0])
def test_a_rest_mark_at_or_above_the_trip_mark_turns_it_off(rest_celsius: float) -> None:
    assert rest_share(79.9, GatePolicy(rest_celsius=rest_celsius)) == 0.0


def test_a_look_tells_the_share_and_that_heat_is_its_cause() -> None:
    warm, cool = look(75.0), look(70.0)
    assert (warm.act, warm.rest_share, warm.cause) == (Act.NONE, pytest.approx(0.3), Cause.HEAT)
    assert (cool.act, cool.rest_share, cool.cause) == (Act.NONE, 0.0, None)


@pytest.mark.parametrize(
    ("celsius", "state", "share"),
    [(82.0, WatchState(), 0.0), (78.0, PAUSED, 0.0), (74.0, PAUSED, 0.24), (91.0, WatchState(), 0.0)],
)
def test_it_does_not_rest_what_is_paused_or_ended_and_rests_what_goes_on(
    celsius: float, state: WatchState, share: float
) -> None:
    assert look(celsius, state).rest_share == pytest.approx(share)
