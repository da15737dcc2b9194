"""The machine's history on the sensors' page: an hour, a day, thirty days or a year, one curve for each measure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from itertools import pairwise
from operator import add

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from gate.core.history import MINUTE_SECONDS, TEN_MINUTES_SECONDS, Measure, Spread, Summary
from gate.core.policy import GatePolicy
from gate.core.units import bytes_text, celsius_text
from gate.selectors import history_of_samples, history_of_summaries
from gate.services import policy_in_force
from j5a_admin.views.access import VIEW_GATE
from j5a_admin.views.dashboard import CHART_GAP_SECONDS, CHART_HEIGHT, CHART_WIDTH
from transcribe.views.access import staff_page

__all__ = ["RANGES", "Curve", "HistoryRange", "curve_of", "history_context", "sensors_history"]

CHART_FLOOR_CELSIUS = 20.0  # a room: nothing that runs is colder for long


@dataclass(frozen=True, kw_only=True)
class HistoryRange:
    """`width_seconds`: of the summaries it is drawn from, None for raw samples; columns about as many as in a day.

    Where nothing was read for longer than `gap_seconds`, the line is broken.
    """

    name: str
    label: str
    seconds: int
    width_seconds: int | None
    column_seconds: int
    gap_seconds: int


RANGES = (
    HistoryRange(
        name="hour",
        label="Hour",
        seconds=3600,
        width_seconds=None,
        column_seconds=15,
        gap_seconds=CHART_GAP_SECONDS,
    ),
    HistoryRange(
        name="day", label="Day", seconds=86_400, width_seconds=MINUTE_SECONDS, column_seconds=300, gap_seconds=600
    ),
    HistoryRange(
        name="month",
        label="30 days",
        seconds=30 * 86_400,
        width_seconds=TEN_MINUTES_SECONDS,
        column_seconds=10_800,
        gap_seconds=21_600,
    ),
    HistoryRange(
        name="year",
        label="Year",
        seconds=365 * 86_400,
        width_seconds=TEN_MINUTES_SECONDS,
        column_seconds=129_600,
        gap_seconds=259_200,
    ),
)


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A part without a gap: the outline of the band from least to most, and the line of the mean."""

    band: str
    line: str


@dataclass(frozen=True, kw_only=True)
class Curve:
    """`marks`: tone and height of each limit's line. `moments`: the places of what it is drawn around."""

    title: str
    stretches: tuple[Stretch, ...]
    marks: tuple[tuple[str, str], ...]
    moments: tuple[str, ...]
    least_text: str
    mean_text: str
    most_text: str


@dataclass(frozen=True, kw_only=True)
class _Kind:
    title: str
    text: Callable[[float], str]
    floor: float = 0.0


KINDS = {
    Measure.CELSIUS: _Kind(title="Temperature", text=celsius_text, floor=CHART_FLOOR_CELSIUS),
    Measure.AVAILABLE_BYTES: _Kind(title="Available memory", text=bytes_text),
    Measure.SWAP_USED_BYTES: _Kind(title="Swap in use", text=bytes_text),
    Measure.LOAD1: _Kind(title="Load", text=lambda value: f"{value:.2f}"),
    Measure.FAN_RPM: _Kind(title="Fan", text=lambda value: f"{value:.0f} rpm"),
}


@require_safe
@staff_page(VIEW_GATE)
def sensors_history(request: HttpRequest) -> HttpResponseBase:
    return render(request, "gate/_sensors_history.html", history_context(request))


def history_context(request: HttpRequest) -> dict[str, object]:
    shown = next((one for one in RANGES if one.name == request.GET.get("range")), RANGES[0])
    ends_at = timezone.now().timestamp()
    columns, policy = _columns(shown, ends_at), policy_in_force()
    curves = [curve_of(measure, columns, shown, ends_at, policy) for measure in Measure]
    return {
        "ranges": RANGES,
        "shown": shown,
        "curves": [curve for curve in curves if curve is not None],
        "begins_at": datetime.fromtimestamp(ends_at - shown.seconds, UTC),
        "ends_at": datetime.fromtimestamp(ends_at, UTC),
        "policy": policy,
    }


def _columns(shown: HistoryRange, ends_at: float) -> list[Summary]:
    begins_at = ends_at - shown.seconds
    if shown.width_seconds is None:
        return history_of_samples(begins_at, ends_at, column_seconds=shown.column_seconds)
    return history_of_summaries(
        begins_at, ends_at, width_seconds=shown.width_seconds, column_seconds=shown.column_seconds
    )


def curve_of(
    measure: Measure,
    columns: Sequence[Summary],
    shown: HistoryRange,
    ends_at: float,
    policy: GatePolicy,
    moments: Sequence[float] = (),
) -> Curve | None:
    """None when nothing was read of it. `moments`: Unix times to be marked; those outside of the range are left out.

    One soon after the end is marked there: a machine that froze was read for the last time a little before.
    """
    read = [(column.begins_at_seconds, column.spreads[measure]) for column in columns if measure in column.spreads]
    if not read:
        return None
    kind, whole = KINDS[measure], reduce(add, (spread for _, spread in read))
    limits = {"bad": policy.trip_celsius, "warn": policy.reset_celsius} if measure is Measure.CELSIUS else {}
    begins_at = ends_at - shown.seconds
    lowest, highest = min(kind.floor, whole.least), max(whole.most, *limits.values(), kind.floor + 1e-9)

    def y(value: float) -> float:  # the line keeps one unit from both edges
        return 1 + (CHART_HEIGHT - 2) * (highest - value) / (highest - lowest)

    def x(at_seconds: float) -> float:
        return min(max(0.0, CHART_WIDTH * (1 - (ends_at - at_seconds) / shown.seconds)), float(CHART_WIDTH))

    return Curve(
        title=kind.title,
        stretches=tuple(_stretch(part, shown.column_seconds, x, y) for part in _parts(read, shown.gap_seconds)),
        marks=tuple((tone, f"{y(limit):.1f}") for tone, limit in limits.items()),
        moments=tuple(f"{x(at):.1f}" for at in moments if 0 <= at - begins_at <= shown.seconds + shown.gap_seconds),
        least_text=kind.text(whole.least),
        mean_text=kind.text(whole.mean),
        most_text=kind.text(whole.most),
    )


def _parts(read: Sequence[tuple[int, Spread]], gap_seconds: int) -> list[list[tuple[int, Spread]]]:
    """Cut where nothing was read for longer than the gap."""
    parts = [[read[0]]]
    for before, entry in pairwise(read):
        if entry[0] - before[0] > gap_seconds:
            parts.append([])
        parts[-1].append(entry)
    return parts


def _stretch(
    part: Sequence[tuple[int, Spread]],
    column_seconds: int,
    x: Callable[[float], float],
    y: Callable[[float], float],
) -> Stretch:
    """Each column's values stand at its middle; the last ones reach to its end, so that a single one can be seen."""
    places = [(x(begins + column_seconds / 2), spread) for begins, spread in part]
    places.append((x(part[-1][0] + column_seconds), part[-1][1]))
    above = [f"{at:.1f},{y(spread.most):.1f}" for at, spread in places]
    below = [f"{at:.1f},{y(spread.least):.1f}" for at, spread in reversed(places)]
    return Stretch(band=" ".join(above + below), line=" ".join(f"{at:.1f},{y(s.mean):.1f}" for at, s in places))
