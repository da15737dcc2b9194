"""The heat latch: in the database of this panel, and in a file beside the lock for the whole machine."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from django.db import DatabaseError

from gate.conf import heat_file, host_id
from gate.core.hysteresis import Latch
from gate.models import GateState

__all__ = ["Remembered", "gate_remember", "gate_remembered", "heat_file_trip", "heat_latch_keep"]

logger = logging.getLogger(__name__)

_complained_about: set[Path] = set()


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """What the gate knew before it looked at the machine. `latched_here`: in the database; the file counts as well."""

    latched_here: bool
    latched_on_machine: bool
    sensor_ever_seen: bool

    @property
    def latch(self) -> Latch:
        """The more careful of both."""
        return Latch(self.latched_here or self.latched_on_machine)


def gate_remembered() -> Remembered:
    """Read row and file, each once."""
    state, _ = GateState.objects.get_or_create(host=host_id())
    return Remembered(
        latched_here=state.latched,
        latched_on_machine=heat_file().is_tripped(),
        sensor_ever_seen=state.sensor_ever_seen,
    )


def gate_remember(before: Remembered, *, latched: bool, sensor_ever_seen: bool) -> None:
    """Keep what differs from before, in both places."""
    if latched != before.latched_on_machine:
        _file_keep(latched=latched)
    changed = {}  # only that: a watch may have tripped the latch since
    if latched != before.latched_here:
        changed["latched"] = latched
    if sensor_ever_seen != before.sensor_ever_seen:
        changed["sensor_ever_seen"] = sensor_ever_seen
    if changed:
        GateState.objects.update_or_create(host=host_id(), defaults=changed)


def heat_file_trip() -> None:
    """Shut the gate for the whole machine without asking the database. Never raises."""
    _file_keep(latched=True)


def heat_latch_keep(*, tripped: bool) -> None:
    """A running process was paused or ended for heat, or goes on: so does the gate. Never raises."""
    _file_keep(latched=tripped)
    try:
        GateState.objects.update_or_create(host=host_id(), defaults={"latched": tripped})
    except DatabaseError as problem:  # whoever watches a process must go on watching it
        logger.warning("the heat latch could not be stored (%s); its file beside the lock has it", problem)


def _file_keep(*, latched: bool) -> None:
    """What cannot be kept is said once, not at every question."""
    file = heat_file()
    is_kept = file.trip() if latched else file.reset()
    if not is_kept and file.path not in _complained_about:
        _complained_about.add(file.path)
        logger.warning("the heat latch %s cannot be %s", file.path, "written" if latched else "removed")
    if is_kept:
        _complained_about.discard(file.path)
