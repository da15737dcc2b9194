"""Hours as people write and read them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from transcribe.hours_text import day_text, hours_text, moment_text, openings_of
from transcribe.schedule import ALWAYS, Opening, Schedule


@pytest.mark.parametrize(
    ("text", "openings"),
    [
        ("", ()),
        ("22:00-06:00", ((1320, 360),)),
        ("22 – 6", ((1320, 360),)),
        ("22:00–06:00 , 12:30-13:00", ((750, 780), (1320, 360))),
        ("0-24", ((0, 1440),)),
        ("0:00-0:00", ((0, 1440),)),
        ("18:00-18:00", ((1080, 1080),)),
        ("8-9, 8-9", ((480, 540),)),
    ],
)
def test_it_reads_what_people_write(text: str, openings: tuple[tuple[int, int], ...]) -> None:
    assert openings_of(2, text) == tuple(Opening(2, *pair) for pair in openings)
    assert openings_of(2, day_text(openings_of(2, text), 2)) == openings_of(2, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("at night", "“at night” cannot be read: write hours like 22:00-06:00"),
        ("22:00", "cannot be read"),
        ("22:00-06:00; 8-9", "cannot be read"),
        ("25:00-06:00", "no clock shows"),
        ("22:60-06:00", "no clock shows"),
        ("22:00-24:01", "no clock shows"),
        ("24:00-06:00", "begins at the end of the day"),
    ],
)
def test_it_says_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        openings_of(0, text)


def test_it_says_the_week_in_one_line() -> None:
    night = [Opening(day, 1320, 360) for day in range(5)]
    week = Schedule((*night, Opening(6, 0, 1440)), "Europe/Berlin")
    assert hours_text(week) == "Monday to Friday 22:00-06:00; Sunday 00:00-24:00 (Europe/Berlin)"
    every = Schedule(tuple(Opening(day, 1320, 360) for day in range(7)), "UTC")
    assert hours_text(every) == "every day 22:00-06:00 (UTC)"
    assert hours_text(ALWAYS) == "at any time"


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-11-25T21:00", "today at 22:00"),
        ("2026-11-25T23:30", "tomorrow at 0:30"),  # of the wall clock
        ("2026-11-27T21:00", "Friday at 22:00"),
        ("2026-12-02T21:00", "Wed 2 Dec at 22:00"),
    ],
)
def test_a_moment_in_words(moment: str, said: str, settings: Settings) -> None:
    now, at = datetime(2026, 11, 25, 12, tzinfo=UTC), datetime.fromisoformat(moment).replace(tzinfo=UTC)
    settings.TIME_ZONE = "Europe/Berlin"
    assert moment_text(at, now, "Europe/Berlin") == said
    settings.TIME_ZONE = "UTC"  # a page has times of both then
    assert moment_text(at, now, "Europe/Berlin") == f"{said} (Europe/Berlin)"
