"""The morning report in words, for its page and for the command line."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone

from gate.core.units import seconds_text
from gate.models import Incident
from gate.selectors import incidents_between
from transcribe.hours_text import moment_text
from transcribe.selectors import JobRow, Lost, NightReport

__all__ = ["forecast_text", "incidents_of", "period_text", "report_lines"]


def incidents_of(report: NightReport) -> list[Incident]:
    """What happened, or happened again, in the period."""
    return incidents_between(report.period.start, report.period.end)


def period_text(report: NightReport) -> str:
    """ "The hours from Tue 24 Nov, 22:00 to Wed 25 Nov, 6:00 (Europe/Berlin)"."""
    period = report.period
    start, end = _wall(period.start, period.zone), _wall(period.end, period.zone)
    return f"{'The hours' if period.is_shift else 'The time'} from {start} to {end} ({period.zone})"


def forecast_text(report: NightReport, now: datetime | None = None) -> str:
    """When the queue will be done, or why that is not known."""
    if not report.waits:
        return "The queue is empty."
    if report.remaining_seconds is None:
        return "When the queue will be done is not known yet: a model in it has not been measured on this machine."
    work = f"about {seconds_text(report.remaining_seconds)} of work"
    if report.pause_text:
        return f"There is {work} to do, and nobody has let the queue go on. {report.pause_text}"
    if report.done_at is None:
        return f"There is {work} to do, more than a year of nights."
    when = moment_text(report.done_at, now or timezone.now(), report.period.zone)
    return f"There is {work} to do: probably done {when}, when the gate says yes all the time."


def report_lines(report: NightReport) -> Iterator[str]:
    yield period_text(report)
    yield f"Done: {_count(report.done)}, {seconds_text(report.done_audio_seconds)} of audio"
    yield from (f"  {_line(row)}" for row in report.done)
    yield f"Read in all, also of jobs that go on: {seconds_text(report.audio_seconds)} of audio"
    for title, rows in (("Incomplete", report.incomplete), ("Failed", report.failed)):
        yield f"{title}: {_count(rows)}"
        yield from (f"  {_line(row)}: {row.reason}" for row in rows)
    if report.running is not None:
        yield f"Running: {_line(report.running)}, {report.running.percent} %"
    yield f"Waiting: {_count([entry.row for entry in report.waiting])}"
    yield from (f"  {entry.position}. {_line(entry.row)}{_why(entry.row)}" for entry in report.waiting)
    yield f"Held: {_count(report.held)}"
    yield from (f"  {_line(row)}: {row.reason}" for row in report.held)
    yield from (f"Lost to {lost.check}: {seconds_text(lost.seconds)}{_held(lost)}" for lost in report.lost)
    yield from (f"Incident: {one.title}, {one.status}: {one.summary}" for one in incidents_of(report))
    yield forecast_text(report)


def _held(lost: Lost) -> str:
    return f", of which {seconds_text(lost.held_seconds)} held while it worked" if lost.held_seconds >= 1 else ""


def _count(rows: Sized) -> str:
    number = len(rows)
    return f"{number} job" if number == 1 else f"{number} jobs"


def _line(row: JobRow) -> str:
    return f"#{row.id} {row.title} ({seconds_text(row.duration_seconds)}, {row.model_label})"


def _why(row: JobRow) -> str:
    why = row.wait_text or (row.reason if row.status == "blocked" else "")
    return f": {why}" if why else ""


def _wall(moment: datetime, zone: str) -> str:
    wall = moment.astimezone(ZoneInfo(zone))
    return f"{wall:%a} {wall.day} {wall:%b}, {wall.hour}:{wall.minute:02d}"
