from __future__ import annotations

from typing import Any

import pytest

from gate.core.errors import PolicyError
from gate.core.policy import GatePolicy
from gate.core.units import GIB


def test_it_starts_with_the_limits_of_the_protocol() -> None:
    policy = GatePolicy()
    assert (policy.margin_bytes, policy.trip_celsius, policy.reset_celsius) == (4 * GIB, 80.0, 75.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"margin_bytes": -1},
        {"trip_celsius": 75.0},
        {"reset_celsius": 80.0},
        {"reset_celsius": 0.0},
        {"trip_celsius": 125.0},
        {"trip_celsius": float("nan")},
        {"activity_warn_bytes": 0},
        {"activity_high_bytes": 500 * 1024**2},
        {"pinned_sensor": "a/b", "ignored_sensors": ("a/b",)},
        {"hung_after_seconds": 0.0},
    ],
)
def test_it_refuses_limits_that_contradict_each_other(wrong: dict[str, Any]) -> None:
    with pytest.raises(PolicyError):
        GatePolicy(**wrong)


@pytest.mark.parametrize(
    "unusual",
    [
        {"margin_bytes": 0},
        {"trip_celsius": 75.1},
        {"reset_celsius": 0.1},
        {"trip_celsius": 124.9, "end_celsius": 125.0},
        {"activity_warn_bytes": 1, "activity_high_bytes": 2},
        {"pinned_sensor": "a/b", "ignored_sensors": ("c/d",)},
        {"hung_after_seconds": 0.1},
    ],
)
def test_it_takes_limits_just_inside_their_bounds(unusual: dict[str, Any]) -> None:
    policy = GatePolicy(**unusual)
    assert {name: getattr(policy, name) for name in unusual} == unusual
