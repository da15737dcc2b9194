"""How long until it has cooled, from the recent slope of one sensor. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["SensorPoint", "cooling_seconds"]

# Fewer points, or points closer together, say more about noise than about cooling.
_LEAST_POINTS = 4
_LEAST_SPAN_SECONDS = 15.0
# A slope flatter than half a degree in a minute predicts hours: then nothing is predicted.
_LEAST_FALL_PER_SECOND = 0.5 / 60


@dataclass(frozen=True)
class SensorPoint:
    at_seconds: float
    celsius: float


def cooling_seconds(points: Sequence[SensorPoint], *, below_celsius: float) -> float | None:
    """Seconds from the last point until the line of least squares falls below the mark.

    None when it does not cool, or when there is too little to say. A machine cools ever more slowly near
    its resting temperature, so this is the shortest likely wait.
    """
    if len(points) < _LEAST_POINTS or points[-1].at_seconds - points[0].at_seconds < _LEAST_SPAN_SECONDS:
        return None
    fall_per_second = -_slope(points)
    if fall_per_second < _LEAST_FALL_PER_SECOND:
        return None
    return max(0.0, (points[-1].celsius - below_celsius) / fall_per_second)


def _slope(points: Sequence[SensorPoint]) -> float:
    """Degrees a second, by least squares."""
    middle = sum(point.at_seconds for point in points) / len(points)
    level = sum(point.celsius for point in points) / len(points)
    spread = sum((point.at_seconds - middle) ** 2 for point in points)
    return sum((point.at_seconds - middle) * (point.celsius - level) for point in points) / spread
