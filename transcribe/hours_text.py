"""The weekly hours as people write and read them: `22:00-06:00`, several separated by commas."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from transcribe.schedule import DAY_MINUTES, Opening, Schedule

__all__ = ["WEEKDAYS", "day_text", "hours_text", "moment_text", "openings_of"]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PIECE = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*[-–]\s*(\d{1,2})(?::(\d{2}))?")
EXAMPLE = "22:00-06:00"


def openings_of(weekday: int, text: str) -> tuple[Opening, ...]:
    """The openings that begin on a weekday.

    Raises:
        ValueError: with a sentence for the person who wrote it.
    """
    pieces = [piece.strip() for piece in text.split(",")]
    return tuple(sorted({_opening(weekday, piece) for piece in pieces if piece}))


def _opening(weekday: int, piece: str) -> Opening:
    found = _PIECE.fullmatch(piece)
    if found is None:
        raise ValueError(
            f"“{piece}” cannot be read: write hours like {EXAMPLE}, several separated by commas, "
            "such as 12:00-13:00, 22:00-06:00."
        )
    start, end = _minute(piece, *found.group(1, 2)), _minute(piece, *found.group(3, 4))
    if start == DAY_MINUTES:
        raise ValueError(f"“{piece}” begins at the end of the day: write it as 0:00 on the next day.")
    return Opening(weekday, start, end or DAY_MINUTES)


def _minute(piece: str, hour: str, minute: str | None) -> int:
    total = int(hour) * 60 + int(minute or 0)
    if int(minute or 0) > 59 or total > DAY_MINUTES:
        raise ValueError(f"“{piece}” names a time that no clock shows: times go from 0:00 to 24:00.")
    return total


def day_text(openings: Iterable[Opening], weekday: int) -> str:
    """`12:00-13:00, 22:00-06:00`: what `openings_of` reads."""
    mine = sorted(opening for opening in openings if opening.weekday == weekday)
    return ", ".join(f"{_clock(opening.start_minute)}-{_clock(opening.end_minute)}" for opening in mine)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def hours_text(schedule: Schedule) -> str:
    """The whole week in one line: "Monday to Friday 22:00-06:00, Sunday 12:00-13:00 (Europe/Berlin)"."""
    if not schedule.openings:
        return "at any time"
    groups: list[tuple[int, int, str]] = []
    for weekday in range(7):
        text = day_text(schedule.openings, weekday)
        if groups and groups[-1][2] == text and groups[-1][1] == weekday - 1:
            groups[-1] = (groups[-1][0], weekday, text)
        else:
            groups.append((weekday, weekday, text))
    said = "; ".join(f"{_days(first, last)} {text}" for first, last, text in groups if text)
    return f"{said} ({schedule.zone})"


def _days(first: int, last: int) -> str:
    if (first, last) == (0, 6):
        return "every day"
    return WEEKDAYS[first] if first == last else f"{WEEKDAYS[first]} to {WEEKDAYS[last]}"


def moment_text(moment: datetime, now: datetime, zone: str) -> str:
    """ "today at 22:00", "tomorrow at 6:30", "Monday at 22:00", "Mon 30 Nov at 22:00"; on the wall clock of the zone.

    The zone is named where it is not the panel's: all other times on a page are the panel's.
    """
    here = ZoneInfo(zone)
    wall, today = moment.astimezone(here), now.astimezone(here).date()
    days = (wall.date() - today) // timedelta(days=1)
    clock = f"at {wall.hour}:{wall.minute:02d}" + (f" ({zone})" if zone != settings.TIME_ZONE else "")
    if 0 <= days <= 1:
        return f"{('today', 'tomorrow')[days]} {clock}"
    return f"{WEEKDAYS[wall.weekday()]} {clock}" if 1 < days < 7 else f"{wall:%a} {wall.day} {wall:%b} {clock}"
