"""Samples into summaries: which stretch, least, mean, most, count; and when one is stored."""

from __future__ import annotations

import random

import pytest

from gate.core.history import (
    MINUTE_SECONDS,
    TEN_MINUTES_SECONDS,
    Measure,
    Point,
    Spread,
    Summary,
    merged,
    store_due,
    summaries,
)

NOON = 1_767_268_800  # 2026-01-01 12:00 UTC


def point(at: float, celsius: float | None = None, load: float | None = None) -> Point:
    given = {Measure.CELSIUS: celsius, Measure.LOAD1: load}
    return Point(at_seconds=NOON + at, values={name: value for name, value in given.items() if value is not None})


def spread(least: float, mean: float, most: float, count: int) -> Spread:
    return Spread(least=least, mean=mean, most=most, count=count)


@pytest.mark.parametrize(
    ("at", "begins"),
    [(0, 0), (59.999, 0), (60, 60), (-0.001, -60), (3599, 3540)],
)
def test_it_puts_a_sample_into_the_minute_it_was_taken_in(at: float, begins: int) -> None:
    (only,) = summaries([point(at, 45.0)], MINUTE_SECONDS)
    assert only.begins_at_seconds == NOON + begins


def test_it_gives_least_mean_most_and_count() -> None:
    (only,) = summaries([point(0, 40.0), point(5, 50.0), point(10, 45.0)], MINUTE_SECONDS)
    assert only.spreads == {Measure.CELSIUS: spread(40.0, 45.0, 50.0, 3)}
    assert only.sample_count == 3


def test_it_counts_each_measure_by_itself() -> None:
    (only,) = summaries([point(0, 40.0), point(5, None, 1.0), point(10)], MINUTE_SECONDS)
    assert only.sample_count == 3
    assert {name: one.count for name, one in only.spreads.items()} == {Measure.CELSIUS: 1, Measure.LOAD1: 1}


def test_it_sorts_the_stretches_whatever_the_order_of_the_samples() -> None:
    found = summaries([point(130, 1.0), point(10, 2.0), point(70, 3.0), point(20, 4.0)], MINUTE_SECONDS)
    assert [(one.begins_at_seconds - NOON, one.sample_count) for one in found] == [(0, 2), (60, 1), (120, 1)]


def test_it_has_no_summary_of_nothing() -> None:
    assert summaries([], TEN_MINUTES_SECONDS) == []


@pytest.mark.parametrize("seed", range(5))
def test_in_two_parts_it_comes_to_the_same_as_at_once(seed: int) -> None:
    chance = random.Random(seed)
    points = [point(chance.uniform(0, 600), chance.uniform(20, 90)) for _ in range(120)]
    cut = chance.randrange(1, 119)
    (whole,) = summaries(points, TEN_MINUTES_SECONDS)
    ((first,), (second,)) = summaries(points[:cut], TEN_MINUTES_SECONDS), summaries(points[cut:], TEN_MINUTES_SECONDS)
    both = merged(first, second)
    assert (both.begins_at_seconds, both.sample_count) == (whole.begins_at_seconds, 120)
    found, wanted = both.spreads[Measure.CELSIUS], whole.spreads[Measure.CELSIUS]
    assert (found.least, found.most, found.count) == (wanted.least, wanted.most, wanted.count)
    assert found.mean == pytest.approx(wanted.mean)


def test_a_measure_that_only_one_part_has_is_kept() -> None:
    ((first,), (second,)) = summaries([point(0, 40.0)], 60), summaries([point(5, None, 2.0)], 60)
    assert merged(first, second).spreads == {
        Measure.CELSIUS: spread(40, 40, 40, 1),
        Measure.LOAD1: spread(2, 2, 2, 1),
    }


def test_it_refuses_to_add_what_does_not_belong_together() -> None:
    one = Summary(width_seconds=60, begins_at_seconds=0, sample_count=1, spreads={})
    with pytest.raises(ValueError, match="not the same stretch"):
        merged(one, Summary(width_seconds=60, begins_at_seconds=60, sample_count=1, spreads={}))


@pytest.mark.parametrize(
    ("age", "is_working", "due"),
    [
        (4.9, True, False),
        (5.0, True, True),
        (5.0, False, False),
        (29.9, False, False),
        (30.0, False, True),
        (-3600.0, True, True),
        (-0.1, False, True),
    ],
)
def test_a_sample_is_due_after_five_seconds_of_work_and_thirty_of_rest(age: float, is_working: bool, due: bool) -> None:
    assert store_due(NOON + age, NOON, is_working=is_working) is due


def test_the_first_sample_is_due_at_once() -> None:
    assert store_due(NOON, None, is_working=False)
