from __future__ import annotations

import pytest

from gate.core.hysteresis import Latch


@pytest.mark.parametrize(
    ("before", "celsius", "after"),
    [
        (False, 79.9, False),
        (False, 80.0, True),
        (False, 80.9, True),
        (False, 76.0, False),
        (True, 76.0, True),
        (True, 75.0, True),
        (True, 74.9, False),
        (True, 85.0, True),
        (True, float("nan"), True),
        (False, float("nan"), False),
    ],
)
def test_it_trips_at_the_high_mark_and_resets_below_the_low_one(before: bool, celsius: float, after: bool) -> None:
    assert Latch(before).after(celsius, trip=80.0, reset=75.0) == Latch(after)
