"""The hours in which heavy work may run: a weekly schedule on the wall clock of one time zone. Pure; no clock is read.

The wall clock decides, also in the nights in which it is changed. An opening of 22:00–06:00 lasts one hour less in the
night that skips an hour and one more in the night that has an hour twice; one that lies wholly in the skipped hour does
not take place that night, and one that lies in the doubled hour takes place twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

__all__ = ["ALWAYS", "DAY_MINUTES", "Opening", "Schedule", "Shift"]

DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES
# An opening comes once a week; the night that skips it makes that two, and the rest is the day's edges.
LOOK_DAYS = 16
MOST_SHIFTS = 400  # more than a year of nights: what takes longer has no date worth telling


@dataclass(frozen=True, order=True)
class Opening:
    """From `start_minute` of a weekday (0: Monday) to `end_minute`, both counted from midnight on the wall clock.

    An end that is not after the start lies on the next day; the same minute means 24 hours. 1440 is midnight.
    """

    weekday: int
    start_minute: int
    end_minute: int

    def __post_init__(self) -> None:
        if not (0 <= self.weekday < 7 and 0 <= self.start_minute < DAY_MINUTES and 0 < self.end_minute <= DAY_MINUTES):
            # minute 0 as an end is 1440, so that every opening is written in one way
            raise ValueError(f"no opening: weekday {self.weekday}, {self.start_minute} to {self.end_minute}")

    @property
    def length_minutes(self) -> int:
        length = self.end_minute - self.start_minute
        return length if length > 0 else length + DAY_MINUTES

    def covers(self, minute_of_week: int) -> bool:
        since = (minute_of_week - self.weekday * DAY_MINUTES - self.start_minute) % WEEK_MINUTES
        return since < self.length_minutes


@dataclass(frozen=True)
class Shift:
    """One stretch of open hours; `closes_at` is None where it never closes."""

    opens_at: datetime
    closes_at: datetime | None


@dataclass(frozen=True)
class Schedule:
    """No opening at all means always open. Moments go in with a time zone and come out in UTC."""

    openings: tuple[Opening, ...] = ()
    zone: str = "UTC"

    @property
    def is_always(self) -> bool:
        return not self.openings or all(self._covers(minute) for minute in range(WEEK_MINUTES))

    def is_open(self, at: datetime) -> bool:
        """Whether the wall clock shows a minute that an opening covers."""
        if not self.openings:
            return True
        wall = at.astimezone(ZoneInfo(self.zone))
        return self._covers(wall.weekday() * DAY_MINUTES + wall.hour * 60 + wall.minute)

    def next_open(self, at: datetime) -> datetime | None:
        """`at` itself while open, else the moment of the next opening; None where none comes."""
        if self.is_open(at):
            return at.astimezone(UTC)
        return next((moment for moment, is_open in self._changes_after(at) if is_open), None)

    def closes_at(self, at: datetime) -> datetime | None:
        """The moment at which the hours that are open at `at` end; None while closed, and where they never end."""
        if not self.is_open(at):
            return None
        return next((moment for moment, is_open in self._changes_after(at) if not is_open), None)

    def shift_before(self, at: datetime) -> Shift | None:
        """The shift that is open at `at`, or the last one before; None where there is none or no end to it."""
        if not self.openings:
            return None
        opened = [moment for moment, is_open in self._changes(at - timedelta(days=LOOK_DAYS), at) if is_open]
        return Shift(opened[-1], self.closes_at(opened[-1])) if opened else None

    def open_seconds(self, start: datetime, end: datetime) -> float:
        """How much of the time from `start` to `end` is open."""
        if not self.openings:
            return max(0.0, (end - start).total_seconds())
        seconds, since = 0.0, start if self.is_open(start) else None
        for moment, is_open in self._changes(start, end):
            if is_open:
                since = moment
            elif since is not None:
                seconds, since = seconds + (moment - since).total_seconds(), None
        return seconds + (max(0.0, (end - since).total_seconds()) if since is not None else 0.0)

    def after_open_seconds(self, start: datetime, seconds: float) -> datetime | None:
        """When so many seconds of open time have passed since `start`; None where that is years away."""
        moment, left = start, seconds
        for _ in range(MOST_SHIFTS):
            opens_at = self.next_open(moment)
            if opens_at is None:
                return None
            closes_at = self.closes_at(opens_at)
            if closes_at is None or (closes_at - opens_at).total_seconds() >= left:
                return opens_at + timedelta(seconds=left)
            moment, left = closes_at, left - (closes_at - opens_at).total_seconds()
        return None

    def _covers(self, minute_of_week: int) -> bool:
        return any(opening.covers(minute_of_week) for opening in self.openings)

    def _changes_after(self, at: datetime) -> Iterator[tuple[datetime, bool]]:
        return self._changes(at, at + timedelta(days=LOOK_DAYS))

    def _changes(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, bool]]:
        """The moments after `start`, up to `end`, at which it opens (True) or closes (False), in their order."""
        state = self.is_open(start)
        for moment in self._edges(start.astimezone(UTC), end.astimezone(UTC)):
            if self.is_open(moment) != state:
                state = not state
                yield moment, state

    def _edges(self, start: datetime, end: datetime) -> list[datetime]:
        """Every moment in (start, end] at which it could change: an edge of an opening, or a change of the clock."""
        if not self.openings:
            return []
        zone = ZoneInfo(self.zone)
        found: set[datetime] = set()
        day = start.astimezone(zone).date() - timedelta(days=1)
        while day <= end.astimezone(zone).date() + timedelta(days=1):
            found.update(self._edges_of(day))
            found.update(clock_changes(self.zone, day))
            day += timedelta(days=1)
        return sorted(moment for moment in found if start < moment <= end)

    def _edges_of(self, day: date) -> Iterator[datetime]:
        """Minutes that do not exist, or come twice, give both of their readings; `is_open` sorts them out."""
        zone = ZoneInfo(self.zone)
        minutes = {m % DAY_MINUTES for o in self.openings for m in (o.start_minute, o.end_minute)}
        for minute in minutes:
            for fold in (0, 1):
                yield datetime.combine(day, time(minute // 60, minute % 60, fold=fold), zone).astimezone(UTC)


ALWAYS = Schedule()


@lru_cache(maxsize=256)
def clock_changes(zone: str, day: date) -> tuple[datetime, ...]:
    """The moment within a day at which the zone's offset changes; empty on all but two days of a year."""
    here = ZoneInfo(zone)
    low = datetime.combine(day, time(), here).astimezone(UTC)
    high = datetime.combine(day + timedelta(days=1), time(), here).astimezone(UTC)
    before = low.astimezone(here).utcoffset()
    if high.astimezone(here).utcoffset() == before:
        return ()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        if middle.astimezone(here).utcoffset() == before:
            low = middle
        else:
            high = middle
    return (high.replace(microsecond=0),)
