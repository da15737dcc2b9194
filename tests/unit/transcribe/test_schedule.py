"""The weekly hours as truth tables, with both nights of a year in which the clock is changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from transcribe.schedule import ALWAYS, DAY_MINUTES, Opening, Schedule

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
MON, TUE, FRI, SAT, SUN = 0, 1, 4, 5, 6


def at(text: str, zone: str = BERLIN, *, fold: int = 0) -> datetime:
    """In UTC: Python holds no reading of a doubled hour equal to a moment of another zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def hours(*openings: tuple[int, str, str], zone: str = BERLIN) -> Schedule:
    return Schedule(tuple(Opening(day, _minute(start), _minute(end)) for day, start, end in openings), zone)


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


EVERY_NIGHT = hours(*((day, "22:00", "06:00") for day in range(7)))
MONDAY_NIGHT = hours((MON, "22:00", "06:00"))


def test_it_is_always_open_where_nothing_is_set() -> None:
    now = at("2026-11-25T12:00")
    assert ALWAYS.is_always
    assert (ALWAYS.is_open(now), ALWAYS.next_open(now), ALWAYS.closes_at(now)) == (True, now, None)
    assert ALWAYS.shift_before(now) is None


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        ("2026-11-23T21:59:59", False),  # a Monday
        ("2026-11-23T22:00", True),
        ("2026-11-23T23:59:59", True),
        ("2026-11-24T00:00", True),
        ("2026-11-24T05:59:59", True),
        ("2026-11-24T06:00", False),
        ("2026-11-24T22:30", False),  # Tuesday has no hours
        ("2026-11-23T05:00", False),  # nor has the morning before
    ],
)
def test_an_opening_across_midnight(text: str, is_open: bool) -> None:
    assert MONDAY_NIGHT.is_open(at(text)) is is_open


def test_it_says_when_it_opens_and_closes() -> None:
    assert MONDAY_NIGHT.next_open(at("2026-11-25T12:00")) == at("2026-11-30T22:00")
    assert MONDAY_NIGHT.next_open(at("2026-11-30T23:00")) == at("2026-11-30T23:00")
    assert MONDAY_NIGHT.closes_at(at("2026-11-30T23:00")) == at("2026-12-01T06:00")
    assert MONDAY_NIGHT.closes_at(at("2026-11-30T12:00")) is None


def test_sunday_night_ends_on_monday() -> None:
    sunday = hours((SUN, "22:00", "06:00"))
    assert sunday.is_open(at("2026-11-23T05:59"))  # a Monday
    assert not sunday.is_open(at("2026-11-23T06:00"))
    assert sunday.closes_at(at("2026-11-22T23:00")) == at("2026-11-23T06:00")


def test_several_openings_on_a_day() -> None:
    both = hours((TUE, "12:00", "13:00"), (TUE, "22:00", "24:00"))
    assert both.next_open(at("2026-11-24T00:00")) == at("2026-11-24T12:00")
    assert both.next_open(at("2026-11-24T13:00")) == at("2026-11-24T22:00")
    assert both.closes_at(at("2026-11-24T22:00")) == at("2026-11-25T00:00")


def test_openings_that_touch_or_overlap_are_one_shift() -> None:
    touching = hours((MON, "22:00", "24:00"), (TUE, "00:00", "06:00"), (TUE, "05:00", "07:00"))
    assert touching.closes_at(at("2026-11-23T22:00")) == at("2026-11-24T07:00")


def test_the_same_time_twice_is_24_hours() -> None:
    day = hours((FRI, "18:00", "18:00"))
    assert day.closes_at(at("2026-11-27T18:00")) == at("2026-11-28T18:00")
    assert not day.is_open(at("2026-11-27T17:59"))
    whole = hours((SAT, "00:00", "24:00"))
    assert whole.closes_at(at("2026-11-28T00:00")) == at("2026-11-29T00:00")


def test_a_whole_week_never_closes() -> None:
    week = hours(*((day, "00:00", "24:00") for day in range(7)))
    assert week.is_always
    assert week.closes_at(at("2026-11-25T12:00")) is None
    assert not EVERY_NIGHT.is_always


@pytest.mark.parametrize("wrong", [(7, 0, 60), (-1, 0, 60), (0, 1440, 60), (0, -1, 60), (0, 0, 0), (0, 0, 1441)])
def test_nonsense_is_no_opening(wrong: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="no opening"):
        Opening(*wrong)


def test_the_zone_decides_what_time_it_is() -> None:
    same = utc("2026-11-24T02:00")  # 03:00 in Berlin, 21:00 on Monday in New York
    assert hours((MON, "22:00", "06:00"), zone=BERLIN).is_open(same)
    assert not hours((MON, "22:00", "06:00"), zone=NEW_YORK).is_open(same)


# ── The nights in which the clock is changed: 29 March and 25 October 2026 in Berlin, 8 March and 1 November there ──
@pytest.mark.parametrize(
    ("zone", "evening", "opens", "closes", "length_hours"),
    [
        (BERLIN, "2026-03-28T20:00", "2026-03-28T21:00", "2026-03-29T04:00", 7),
        (BERLIN, "2026-10-24T20:00", "2026-10-24T20:00", "2026-10-25T05:00", 9),
        (BERLIN, "2026-11-24T20:00", "2026-11-24T21:00", "2026-11-25T05:00", 8),
        (NEW_YORK, "2026-03-07T20:00", "2026-03-08T03:00", "2026-03-08T10:00", 7),
        (NEW_YORK, "2026-10-31T20:00", "2026-11-01T02:00", "2026-11-01T11:00", 9),
    ],
)
def test_a_night_is_shorter_or_longer_by_the_changed_hour(
    zone: str, evening: str, opens: str, closes: str, length_hours: int
) -> None:
    nights = hours(*((day, "22:00", "06:00") for day in range(7)), zone=zone)
    opened = nights.next_open(at(evening, zone))
    assert opened == utc(opens)
    closed = nights.closes_at(opened)
    assert closed == utc(closes)
    assert nights.open_seconds(opened, closed) == (closed - opened).total_seconds() == length_hours * 3600


@pytest.mark.parametrize(
    ("zone", "day", "start", "end", "week_later"),
    [
        (BERLIN, "2026-03-29", "02:10", "02:50", "2026-04-05T00:10"),
        (NEW_YORK, "2026-03-08", "02:00", "03:00", "2026-03-15T06:00"),
    ],
)
def test_an_opening_in_the_skipped_hour_comes_a_week_later(
    zone: str, day: str, start: str, end: str, week_later: str
) -> None:
    skipped = hours((SUN, start, end), zone=zone)
    assert skipped.next_open(at(f"{day}T00:00", zone)) == utc(week_later)


@pytest.mark.parametrize(
    ("zone", "day", "first", "end"),
    [
        (BERLIN, "2026-03-29", "2026-03-29T01:00", "2026-03-29T02:00"),  # 03:00 to 04:00 summer time
        (NEW_YORK, "2026-03-08", "2026-03-08T07:00", "2026-03-08T08:00"),
    ],
)
def test_what_begins_in_the_skipped_hour_begins_after_it(zone: str, day: str, first: str, end: str) -> None:
    half = hours((SUN, "02:30", "04:00"), zone=zone)
    opened = half.next_open(at(f"{day}T00:00", zone))
    assert opened == utc(first)
    assert half.closes_at(opened) == utc(end)


@pytest.mark.parametrize(("zone", "day", "hour"), [(BERLIN, "2026-10-25", "02"), (NEW_YORK, "2026-11-01", "01")])
def test_the_doubled_hour_counts_twice_and_without_a_gap(zone: str, day: str, hour: str) -> None:
    doubled = hours((SUN, f"{hour}:00", f"0{int(hour) + 1}:00"), zone=zone)
    opened = doubled.next_open(at(f"{day}T00:00", zone))
    assert opened == at(f"{day}T{hour}:00", zone)
    closed = doubled.closes_at(opened)
    assert closed is not None
    assert closed - opened == timedelta(hours=2)


@pytest.mark.parametrize(("zone", "day", "hour"), [(BERLIN, "2026-10-25", "02"), (NEW_YORK, "2026-11-01", "01")])
def test_an_opening_within_the_doubled_hour_takes_place_twice(zone: str, day: str, hour: str) -> None:
    half = hours((SUN, f"{hour}:00", f"{hour}:30"), zone=zone)
    first = half.next_open(at(f"{day}T00:00", zone))
    assert first is not None
    assert half.closes_at(first) == at(f"{day}T{hour}:30", zone)
    second = half.next_open(at(f"{day}T{hour}:30", zone))
    assert second == at(f"{day}T{hour}:00", zone, fold=1)
    assert half.closes_at(second) == at(f"{day}T{hour}:30", zone, fold=1)


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        (BERLIN, "2026-03-27T00:00"),
        (BERLIN, "2026-10-23T00:00"),
        (NEW_YORK, "2026-03-06T00:00"),
        (NEW_YORK, "2026-10-30T00:00"),
        ("Australia/Lord_Howe", "2026-04-03T00:00"),  # changes by half an hour
        ("Asia/Kathmandu", "2026-04-03T00:00"),  # no change, and an offset of 5:45
    ],
)
def test_it_agrees_with_a_look_at_every_minute(zone: str, start: str) -> None:
    schedule = hours((FRI, "23:30", "02:15"), (SAT, "22:00", "02:30"), (SUN, "01:15", "01:45"), zone=zone)
    moment = at(start, zone).astimezone(UTC)
    minutes = [moment + timedelta(minutes=step) for step in range(4 * DAY_MINUTES)]
    states = [schedule.is_open(minute) for minute in minutes]
    for index in range(0, 3 * DAY_MINUTES, 7):
        now, is_open = minutes[index], states[index]
        other = next((m for m, state in zip(minutes[index:], states[index:], strict=True) if state != is_open), None)
        if other is not None:
            assert (schedule.closes_at(now) if is_open else schedule.next_open(now)) == other, now
    assert schedule.open_seconds(minutes[0], minutes[-1]) == 60 * sum(states[:-1])


@pytest.mark.parametrize(
    ("hours_of_work", "done"),
    [
        (0, "2026-11-25T22:00"),
        (3, "2026-11-26T01:00"),
        (8, "2026-11-26T06:00"),
        (9, "2026-11-26T23:00"),
        (20, "2026-11-28T02:00"),
    ],
)
def test_work_goes_on_through_as_many_nights_as_it_takes(hours_of_work: float, done: str) -> None:
    start = at("2026-11-25T12:00")
    assert EVERY_NIGHT.after_open_seconds(start, hours_of_work * 3600) == at(done)
    assert EVERY_NIGHT.after_open_seconds(start, 1e9) is None
    assert ALWAYS.after_open_seconds(start, 60) == start + timedelta(minutes=1)


def test_it_names_the_shift_that_is_on_and_the_one_before() -> None:
    now = at("2026-11-25T03:00")
    during = EVERY_NIGHT.shift_before(now)
    assert during is not None
    assert (during.opens_at, during.closes_at) == (at("2026-11-24T22:00"), at("2026-11-25T06:00"))
    assert EVERY_NIGHT.shift_before(at("2026-11-25T12:00")) == during
    last_week = MONDAY_NIGHT.shift_before(at("2026-11-22T12:00"))
    assert last_week is not None
    assert last_week.opens_at == at("2026-11-16T22:00")
