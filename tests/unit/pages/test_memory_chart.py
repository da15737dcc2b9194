"""The line of available memory, as points in its box."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gate.core.units import GIB
from gate.models import SensorSample
from j5a_admin.views.dashboard import CHART_HEIGHT, CHART_WIDTH, MemoryChart, memory_chart

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def samples(*pairs: tuple[float, float | None]) -> list[SensorSample]:
    """Minute and GiB of each."""
    return [
        SensorSample(taken_at=NOON + timedelta(minutes=at), available_bytes=None if gib is None else int(gib * GIB))
        for at, gib in pairs
    ]


@pytest.mark.parametrize("pairs", [[], [(0, 1.0)], [(0, None), (1, 1.0)], [(0, None), (1, None), (2, None)]])
def test_fewer_than_two_readings_are_no_line(pairs: list[tuple[float, float | None]]) -> None:
    assert memory_chart(samples(*pairs)) is None


def test_the_figures_are_told_in_words() -> None:
    chart = memory_chart(samples((0, 4.0), (5, 8.0), (10, 2.0), (15, 6.0)))
    assert chart is not None
    assert (chart.minutes, chart.last_text, chart.least_text, chart.most_text) == (15, "6.0 GiB", "2.0 GiB", "8.0 GiB")


@pytest.mark.parametrize(
    ("pairs", "points"),
    [
        ([(0, 4.0), (10, 4.0)], "0.0,1.0 300.0,1.0"),
        ([(0, 8.0), (5, 4.0), (10, 0.0)], "0.0,1.0 150.0,30.0 300.0,59.0"),
        ([(0, 8.0), (2, None), (10, 8.0)], "0.0,1.0 300.0,1.0"),
        ([(0, 0.0), (10, 0.0)], "0.0,59.0 300.0,59.0"),
    ],
)
def test_the_line_runs_from_edge_to_edge_with_zero_at_the_bottom(
    pairs: list[tuple[float, float | None]], points: str
) -> None:
    chart = memory_chart(samples(*pairs))
    assert chart is not None
    assert " ".join(chart.lines) == points


def test_where_nothing_was_read_the_line_is_broken() -> None:
    chart = memory_chart(samples((0, 8.0), (1, 8.0), (9, 8.0), (10, 8.0)))
    assert chart is not None
    assert chart.lines == ("0.0,1.0 30.0,1.0", "270.0,1.0 300.0,1.0")


def test_two_readings_of_one_moment_stay_in_the_box() -> None:
    chart = memory_chart(samples((0, 1.0), (0, 2.0)))
    assert chart is not None
    assert chart.minutes == 1
    assert within_the_box(chart)


def test_every_point_stays_in_the_box() -> None:
    chart = memory_chart(samples(*((minute, (minute * 7) % 5) for minute in range(16))))
    assert chart is not None
    assert within_the_box(chart)


def within_the_box(chart: MemoryChart) -> bool:
    pairs = [tuple(float(part) for part in point.split(",")) for point in " ".join(chart.lines).split()]
    return all(0 <= x <= CHART_WIDTH and 0 <= y <= CHART_HEIGHT for x, y in pairs)
