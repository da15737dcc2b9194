"""Whether the worker of this host may start a job now, and if not, why: its hours, and a pause by a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from transcribe.hours_text import moment_text
from transcribe.models import QueueChange, QueueState
from transcribe.schedule import ALWAYS, Opening, Schedule

CLAIM_ORDER = ("-priority", "position", "pk")  # priority, then where a person placed it, then age

HOURS = "hours"  # the name of a change of the hours

__all__ = ["CLAIM_ORDER", "HOURS", "Pause", "QueueRules", "closed_seconds", "queue_rules", "schedule_of"]


@dataclass(frozen=True, kw_only=True)
class Pause:
    """`stops_running`: the running job was to end at once."""

    at: datetime
    who: str
    why: str
    stops_running: bool

    @property
    def sentence(self) -> str:
        return f"The queue is paused by {self.who}{f' ({self.why})' if self.why else ''}."


@dataclass(frozen=True, kw_only=True)
class QueueRules:
    schedule: Schedule
    pause: Pause | None

    def shift_over(self, now: datetime) -> bool:
        """Whether a job that keeps the hours must not run now."""
        return not self.schedule.is_open(now)

    def wait_text(self, now: datetime, *, ignores_hours: bool = False) -> str:
        """Why a waiting job is not started, in a sentence; empty when only its turn and the gate are in the way."""
        if self.pause is not None:
            return self.pause.sentence
        return self.hours_wait_text(now) if self.shift_over(now) and not ignores_hours else ""

    def hours_wait_text(self, now: datetime) -> str:
        opens_at = self.schedule.next_open(now)
        if opens_at is None:
            return "Waits for the night shift: the hours that are set never come."
        return f"Waits for the night shift: goes on {moment_text(opens_at, now, self.schedule.zone)}."


def queue_rules() -> QueueRules:
    state = QueueState.objects.filter(host=settings.HOST_ID).first() or QueueState(host=settings.HOST_ID)
    return QueueRules(schedule=schedule_of(state), pause=_pause_of(state))


def schedule_of(state: QueueState) -> Schedule:
    return _schedule(state.openings, state.zone)


def closed_seconds(start: datetime, end: datetime) -> float:
    """How much of the time from `start` to `end` lay outside the hours, by those in force at the time."""
    changes = QueueChange.objects.filter(host=settings.HOST_ID, name=HOURS).order_by("at", "pk")
    since = [(start, ALWAYS), *((change.at, _schedule(change.openings or [], change.zone)) for change in changes)]
    untils = [at for at, _ in since[1:]] + [end]
    seconds = 0.0
    for (at, schedule), until in zip(since, untils, strict=True):
        begin, stop = max(start, at), min(end, until)
        if begin < stop:
            seconds += (stop - begin).total_seconds() - schedule.open_seconds(begin, stop)
    return seconds


def _schedule(openings: list[list[int]], zone: str) -> Schedule:
    return Schedule(tuple(Opening(*numbers) for numbers in openings), zone or settings.TIME_ZONE)


def _pause_of(state: QueueState) -> Pause | None:
    if state.paused_at is None:
        return None
    return Pause(at=state.paused_at, who=state.paused_by, why=state.paused_why, stops_running=state.pause_stops_running)
