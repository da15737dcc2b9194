"""The machine's watch over one heavy process, for `gate run` and for jobs alike: look, decide, remember.

A look reads the machine and decides; it never asks the database, which another program may have locked for half a
minute while the machine burns. What the database has to do with it (the policy chosen in the panel, the heat latch)
happens beside it, in a short-lived thread; until that answers, the last policy holds.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from dataclasses import replace

from django.db import DatabaseError, connections

from gate import services
from gate.core.incidents.watching import watch_measures
from gate.core.policy import GatePolicy
from gate.core.readings import MemoryReading, TemperatureReading, Vitals
from gate.core.sensors import SensorMemory, take_vitals
from gate.core.watch import Act, Cause, Watched, WatchState, watch

__all__ = ["MachineWatch"]

logger = logging.getLogger(__name__)

POLICY_SECONDS = 30.0  # a sensor that is pinned in the panel counts for a running process after so long


class MachineWatch:
    """Give the policy in force at the start. `look` is called about every second, by one thread."""

    def __init__(self, policy: GatePolicy) -> None:
        self.policy = policy
        self._known = SensorMemory()
        self._state = WatchState()
        self._policy_at_seconds: float | None = None
        self._latch_owed: bool | None = None  # how the heat latch is to stand
        self._is_blind = False
        self._beside: threading.Thread | None = None

    @property
    def is_paused(self) -> bool:
        return self._state.paused_at_seconds is not None

    def look(self, at_seconds: float, *, may_pause: bool = True) -> Watched | None:
        """What to do at `at_seconds` (monotonic). None: it should be paused, and must not be (`may_pause`)."""
        vitals = self._vitals()
        watched = watch(vitals, self.policy, self._state, at_seconds=at_seconds)
        if watched.act is Act.PAUSE and not may_pause:
            self._state = replace(watched.state, paused_at_seconds=None)
            return None
        self._state = watched.state
        if watched.act in (Act.PAUSE, Act.END) and watched.cause is Cause.HEAT and not vitals.temperature.is_silent:
            services.heat_file_trip()  # at once: no database is needed for it
            self._latch_owed = True
        elif watched.act is Act.RESUME:
            self._latch_owed = False
        try:
            self._tend(at_seconds)
            if watched.act in (Act.PAUSE, Act.END):
                measures = watch_measures(vitals, self.policy, ended=watched.act is Act.END)
                watched = replace(watched, measures=tuple(measures), taken_at=vitals.taken_at)
        except Exception:  # what is told beside it must not keep the caller from what is decided
            logger.exception("what the watch has decided cannot be told in full")
        return watched

    def _vitals(self) -> Vitals:
        """A look that fails as a whole is one that read nothing: a pause ends at its limit all the same."""
        try:
            vitals = take_vitals(self.policy, self._known)
        except Exception as problem:
            if not self._is_blind:  # once, not each second of an hour
                logger.exception("the watch cannot read the machine; it goes on looking")
            self._is_blind = True
            return _unread(f"{type(problem).__name__}: {problem}")
        self._is_blind = False
        return vitals

    def _tend(self, at_seconds: float) -> None:
        """Start what the database must be asked for, unless the last of it still waits for an answer."""
        if self._beside is not None and self._beside.is_alive():
            return
        if self._policy_at_seconds is None:  # it was given to us fresh
            self._policy_at_seconds = at_seconds
        is_due = at_seconds - self._policy_at_seconds >= POLICY_SECONDS
        if is_due or self._latch_owed is not None:
            self._policy_at_seconds = at_seconds
            self._beside = threading.Thread(target=self._ask_database, daemon=True, name="watch-database")
            with suppress(RuntimeError):  # no room for another thread: what is owed is tried again, the watch goes on
                self._beside.start()

    def _ask_database(self) -> None:
        try:
            if (owed := self._latch_owed) is not None:
                services.heat_latch_keep(tripped=owed)  # shut until it is cool, also for whoever asks next
                if self._latch_owed is owed:  # else it has changed since
                    self._latch_owed = None
            self.policy = services.policy_in_force()
        except DatabaseError as problem:
            logger.info("the watch keeps its last limits, the database does not answer (%s)", problem)
        finally:
            with suppress(DatabaseError):
                connections.close_all()


def _unread(problem: str) -> Vitals:
    memory = MemoryReading(available_bytes=None, total_bytes=None, problem=problem)
    temperature = TemperatureReading(deciding=None, problem=problem)
    return Vitals(taken_at=time.time(), memory=memory, temperature=temperature)
