"""The rules of this host's queue: its hours, and a pause of the whole queue. Every change is kept with who and when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from transcribe.hours_text import hours_text
from transcribe.models import QueueChange, QueueState
from transcribe.queue_rules import HOURS, schedule_of
from transcribe.schedule import Opening
from transcribe.services.wake import queue_sweep

__all__ = ["PAUSE", "hours_set", "queue_pause", "queue_resume", "queue_rules_take_over"]

PAUSE = "pause"


def hours_set(openings: Iterable[Opening], zone: str, *, who: str) -> bool:
    """The new weekly hours of this host; no opening: at any time. False when they are as they were.

    `zone`: a name of the time zone database; empty: the panel's own, also when that changes.
    """
    ZoneInfo(zone or settings.TIME_ZONE)  # raises for what is no zone
    wanted = sorted(set(openings))
    with transaction.atomic():
        state = _state_locked()
        before = hours_text(schedule_of(state))
        state.openings = [[opening.weekday, opening.start_minute, opening.end_minute] for opening in wanted]
        state.zone = zone
        after = hours_text(schedule_of(state))
        state.save(update_fields=["openings", "zone"])
        if before == after:
            return False
        _note(HOURS, before, after, who, openings=state.openings, zone=zone or settings.TIME_ZONE)
    queue_sweep()
    return True


def queue_pause(*, who: str, why: str, stops_running: bool) -> bool:
    """Start no further job. `stops_running`: put the running one back, too. False when it was paused like this before.

    A pause after the running job can still be made one that stops it; its time and reason become the new ones.
    """
    with transaction.atomic():
        state = _state_locked()
        if state.paused_at is not None and (state.pause_stops_running or not stops_running):
            return False
        state.paused_at, state.paused_by, state.paused_why = timezone.now(), who, why
        state.pause_stops_running = stops_running
        state.save()
        when = "the running job put back" if stops_running else "after the running job"
        _note(PAUSE, "", f"paused, {when}" + (f": {why}" if why else ""), who)
    return True


def queue_resume(*, who: str) -> bool:
    """Go on; False when the queue was not paused."""
    with transaction.atomic():
        state = _state_locked()
        if state.paused_at is None:
            return False
        state.paused_at, state.paused_by, state.paused_why, state.pause_stops_running = None, "", "", False
        state.save()
        _note(PAUSE, "paused", "goes on", who)
    queue_sweep()
    return True


def queue_rules_take_over(former_host: str) -> bool:
    """Let the hours and the pause of a queue that has moved here apply here; False when there is nothing to move."""
    if former_host == settings.HOST_ID:
        return False
    with transaction.atomic():
        if QueueState.objects.filter(host=settings.HOST_ID).exists():
            return False
        moved = QueueState.objects.filter(host=former_host).update(host=settings.HOST_ID)
        QueueChange.objects.filter(host=former_host).update(host=settings.HOST_ID)
        return moved == 1


def _state_locked() -> QueueState:
    """The row, locked until the transaction ends: a pause and a change of hours do not undo each other."""
    QueueState.objects.get_or_create(host=settings.HOST_ID)
    return QueueState.objects.select_for_update().get(host=settings.HOST_ID)


def _note(name: str, before: str, after: str, who: str, **hours: Any) -> None:
    QueueChange.objects.create(host=settings.HOST_ID, who=who, name=name, before=before, after=after, **hours)
