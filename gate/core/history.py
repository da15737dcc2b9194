"""Roll samples up: least, mean, most and count of a minute or of ten. Pure.

A sum is built by adding the readings that are new to what is there already. So raw samples may be gone by then, a
late one finds its place, and it does not matter in how many steps it was done.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "KEPT",
    "MINUTE_SECONDS",
    "TEN_MINUTES_SECONDS",
    "WIDTHS",
    "Measure",
    "Point",
    "Spread",
    "Summary",
    "merged",
    "store_due",
    "summaries",
]

MINUTE_SECONDS = 60
TEN_MINUTES_SECONDS = 600
WIDTHS = (MINUTE_SECONDS, TEN_MINUTES_SECONDS)
# How long summaries of each width are kept, in seconds: a month shows single jobs, a year the seasons.
KEPT = {MINUTE_SECONDS: 30 * 86_400, TEN_MINUTES_SECONDS: 365 * 86_400}

# While a job works a sample every five seconds shows the load of each chunk; an idle machine changes slowly, and a
# disk that may sleep should not be written to for nothing.
WORKING_STORE_SECONDS = 5.0
IDLE_STORE_SECONDS = 30.0


class Measure(StrEnum):
    """What is kept of every sample; the names of the columns begin with these."""

    CELSIUS = "celsius"
    AVAILABLE_BYTES = "available_bytes"
    SWAP_USED_BYTES = "swap_used_bytes"
    LOAD1 = "load1"
    FAN_RPM = "fan_rpm"


@dataclass(frozen=True, kw_only=True)
class Spread:
    """`count` readings between `least` and `most`. Each counts the same, however far apart they were taken."""

    least: float
    mean: float
    most: float
    count: int

    def __add__(self, other: Spread) -> Spread:
        count = self.count + other.count
        return Spread(
            least=min(self.least, other.least),
            mean=(self.mean * self.count + other.mean * other.count) / count,
            most=max(self.most, other.most),
            count=count,
        )


@dataclass(frozen=True, kw_only=True)
class Point:
    """One sample: unix seconds, and what could be read."""

    at_seconds: float
    values: Mapping[Measure, float]


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The samples from `begins_at_seconds` (unix, a multiple of the width) until the next one begins."""

    width_seconds: int
    begins_at_seconds: int
    sample_count: int
    spreads: Mapping[Measure, Spread]


def summaries(points: Iterable[Point], width_seconds: int) -> list[Summary]:
    """Points in any order, gathered by the width they fall into; oldest first."""
    gathered: dict[int, list[Point]] = {}
    for point in points:
        gathered.setdefault(math.floor(point.at_seconds / width_seconds) * width_seconds, []).append(point)
    return [_summary(width_seconds, begins, inside) for begins, inside in sorted(gathered.items())]


def merged(first: Summary, second: Summary) -> Summary:
    """Both of the same stretch of time, in one."""
    if (first.width_seconds, first.begins_at_seconds) != (second.width_seconds, second.begins_at_seconds):
        raise ValueError(f"not the same stretch: {first.begins_at_seconds} and {second.begins_at_seconds}")
    spreads = dict(first.spreads)
    for measure, spread in second.spreads.items():
        spreads[measure] = spreads[measure] + spread if measure in spreads else spread
    return Summary(
        width_seconds=first.width_seconds,
        begins_at_seconds=first.begins_at_seconds,
        sample_count=first.sample_count + second.sample_count,
        spreads=spreads,
    )


def store_due(now: float, stored_at: float | None, *, is_working: bool) -> bool:
    """Whether a sample is stored now. After a clock that was set back one is: it must not wait to catch up."""
    every_seconds = WORKING_STORE_SECONDS if is_working else IDLE_STORE_SECONDS
    return stored_at is None or not 0 <= now - stored_at < every_seconds


def _summary(width_seconds: int, begins: int, points: Sequence[Point]) -> Summary:
    readings = {measure: [p.values[measure] for p in points if measure in p.values] for measure in Measure}
    return Summary(
        width_seconds=width_seconds,
        begins_at_seconds=begins,
        sample_count=len(points),
        spreads={measure: _spread(values) for measure, values in readings.items() if values},
    )


def _spread(values: Sequence[float]) -> Spread:
    return Spread(least=min(values), mean=math.fsum(values) / len(values), most=max(values), count=len(values))
