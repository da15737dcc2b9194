"""The expected wait on a heat block: from the recent slope, or nothing at all."""

from __future__ import annotations

import pytest

from gate.core.checks import check_temperature
from gate.core.cooling import SensorPoint, cooling_seconds
from gate.core.hysteresis import Latch
from gate.core.policy import GatePolicy
from gate.core.readings import TemperatureReading
from tests.support.builders import temperature


def falling(per_minute: float, *, points: int = 10, every_seconds: float = 5.0) -> list[SensorPoint]:
    return [
        SensorPoint(1_000.0 + at * every_seconds, 85.0 - per_minute * at * every_seconds / 60) for at in range(points)
    ]


def test_it_follows_the_slope_to_the_mark() -> None:
    points = falling(6.0)  # 85.0 down to 80.5 in 45 s, a tenth of a degree each second
    assert cooling_seconds(points, below_celsius=75.0) == pytest.approx(55.0)


@pytest.mark.parametrize(
    "points",
    [
        falling(0.0),
        falling(-3.0),
        falling(0.49),
        falling(6.0, points=3),
        falling(6.0, points=4, every_seconds=4.9),
        [],
    ],
    ids=["level", "rising", "too slowly", "too few", "too close together", "none"],
)
def test_it_predicts_nothing_without_a_clear_fall(points: list[SensorPoint]) -> None:
    assert cooling_seconds(points, below_celsius=75.0) is None


def test_it_is_zero_at_the_mark() -> None:
    assert cooling_seconds(falling(6.0), below_celsius=90.0) == 0.0


def test_the_check_says_the_expected_wait() -> None:
    from dataclasses import replace

    def unblock(reading: TemperatureReading) -> str:
        return check_temperature(reading, GatePolicy(), Latch(True)).unblock

    hot = temperature(82.0)
    assert unblock(hot) == "Cooling: 82.0 °C (coretemp Package id 0); starts again below 75.0 °C."
    assert "below 75.0 °C, in about 4 min if it goes on" in unblock(replace(hot, cooling_seconds=240.0))
