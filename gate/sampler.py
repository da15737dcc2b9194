"""The loop that watches the machine: one look a second, a row every few, and now and then the history is kept."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from django.db import DatabaseError, connections
from django.db.models import Max

from gate.conf import gate_policy, host_id
from gate.core.errors import LockError
from gate.core.history import store_due
from gate.core.readings import Vitals
from gate.core.rhythm import Rhythm
from gate.core.sensors import SensorMemory, take_vitals
from gate.kernel_watch import KernelWatch
from gate.models import GateState, SensorSample
from gate.recorder import Recorder
from gate.services import (
    history_prune,
    history_summarise,
    lock_status,
    lock_survivor_name,
    policy_in_force,
    policy_note,
)
from gate.services.history import RAW_KEPT
from gate.state_watch import StateWatch

__all__ = ["Sampler"]

logger = logging.getLogger(__name__)

_SUMMARISE_EVERY_SECONDS = 60.0
_PRUNE_EVERY_SECONDS = 600.0
# A clock that was set wrongly is mostly right again within minutes, by time synchronisation. Until it has been steady
# for so long nothing is removed for its age: a year's history would be gone for a clock that showed another year once.
_STEADY_SECONDS = 3600.0
_JUMP_SECONDS = 60.0


class Sampler:
    """`tick` is one step and takes its clock from outside; `run` calls it until told to stop."""

    def __init__(
        self,
        every_seconds: float = 1.0,
        is_working: Callable[[], bool] = lambda: False,
        recorder: Recorder | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`is_working`: what else counts as work beside a held lock; asked every five seconds at most."""
        self._policy = gate_policy()
        self._every_seconds = every_seconds
        self._is_working = is_working
        self._known = SensorMemory()
        self._recorder = recorder
        self._state_watch = StateWatch()
        self._kernel_watch = None if recorder is None else KernelWatch()  # for who gathers evidence
        self._looked_at: float | None = None
        self._stored_at: float | None = None
        self._summarise = Rhythm(_SUMMARISE_EVERY_SECONDS)
        self._prune = Rhythm(_PRUNE_EVERY_SECONDS)
        self._monotonic = monotonic
        self._clocks: tuple[float, float] | None = None  # of the last row: by the wall, and steady
        self._steady_from = math.inf
        self._stored_ever_seen = False
        self.database_problem: str | None = None
        self._lock_problem: str | None = None

    def tick(self, now: float) -> Vitals:
        """Look at the machine at `now` (unix seconds), and store it when that is due."""
        vitals = take_vitals(self._policy, self._known)
        if self._recorder is not None:
            self._recorder.note(vitals, now)
        # Whether somebody works costs more than the clock: it is asked no more often than the answer can matter.
        if store_due(now, self._looked_at, is_working=True):
            self._looked_at = now
            self._store_if_due(vitals, now)
        return vitals

    def run(self, stop_event: threading.Event, on_tick: Callable[[float], None] | None = None) -> None:
        """Tick until the event is set. `on_tick` gets the time of each. Only an end by the event is one in order."""
        with suppress(DatabaseError):  # noted at the next verdict, then
            policy_note()
        if self._recorder is not None:
            self._recorder.start()
        while not stop_event.is_set():
            started = time.monotonic()
            now = time.time()
            self.tick(now)
            if on_tick is not None:
                on_tick(now)
            stop_event.wait(max(0.0, self._every_seconds - (time.monotonic() - started)))
        if self._recorder is not None:
            self._recorder.close()

    def _store_if_due(self, vitals: Vitals, now: float) -> None:
        """A database that does not answer costs this sample, not the loop."""
        try:
            self._name_survivor()  # first: it needs no database, only its row in the history does
            if store_due(now, self._stored_at, is_working=self._is_noteworthy(vitals)):
                self._store(vitals, datetime.fromtimestamp(now, UTC), now)
                self._stored_at = now
            self._state_watch.look(vitals, now)
            if self._kernel_watch is not None:
                self._kernel_watch.look(now)
        except DatabaseError as problem:
            self._report(str(problem))
            connections.close_all()
        else:
            self._report(None)

    def _name_survivor(self) -> None:
        """Older scripts see only the PID line: when a holder was killed, it must name the child that works on."""
        problem = None
        try:
            lock_survivor_name("sampler")
        except (LockError, OSError) as error:
            problem = str(error)
        if problem is not None and self._lock_problem is None:
            logger.warning("the lock's files cannot be looked after (%s); trying again", problem)
        self._lock_problem = problem

    def _is_noteworthy(self, vitals: Vitals) -> bool:
        """Work, or heat: how long it will last is told from samples that are close together."""
        deciding = vitals.temperature.deciding
        is_hot = deciding is not None and (deciding.celsius or 0.0) >= self._policy.reset_celsius
        return is_hot or lock_status().is_live or self._is_working()

    def _store(self, vitals: Vitals, taken_at: datetime, now: float) -> None:
        self._look_at_clock(now)
        self._policy = policy_in_force()  # a sensor may have been pinned in the panel meanwhile
        self._store_sample(vitals, taken_at)
        self._store_ever_seen(vitals)
        if self._summarise.is_due(now):
            history_summarise()
            self._summarise.done(now)
        if self._prune.is_due(now) and self.is_clock_steady:
            self._prune_history(taken_at)
            self._prune.done(now)

    @property
    def is_clock_steady(self) -> bool:
        """Whether the clock can tell what is old."""
        return self._monotonic() >= self._steady_from

    def _look_at_clock(self, now: float) -> None:
        """It jumped when the steady clock went on differently; at a start, when the last row is old enough to go."""
        steady = self._monotonic()
        if self._clocks is None:
            last = SensorSample.objects.filter(host=host_id()).aggregate(last=Max("taken_at"))["last"]
            jumped = last is not None and now - last.timestamp() > RAW_KEPT.total_seconds()
            self._steady_from = steady
        else:
            jumped = abs((now - self._clocks[0]) - (steady - self._clocks[1])) > _JUMP_SECONDS
        self._clocks = now, steady
        if jumped:
            self._steady_from = steady + _STEADY_SECONDS

    def _prune_history(self, now: datetime) -> None:
        """Who protects something may fail to say what: nothing is removed then, and the watch goes on."""
        try:
            history_prune(now)
        except DatabaseError:
            raise
        except Exception:
            logger.exception("the history could not be pruned; trying again in %g s", _PRUNE_EVERY_SECONDS)

    def _store_sample(self, vitals: Vitals, taken_at: datetime) -> None:
        deciding = vitals.temperature.deciding
        SensorSample.objects.create(
            host=host_id(),
            taken_at=taken_at,
            celsius=deciding.celsius if deciding is not None else None,
            sensor=deciding.id if deciding is not None else "",
            available_bytes=vitals.memory.available_bytes,
            total_bytes=vitals.memory.total_bytes,
            swap_used_bytes=vitals.memory.swap_used_bytes,
            load1=vitals.load1,
            fan_rpm=vitals.fan_rpm,
        )

    def _store_ever_seen(self, vitals: Vitals) -> None:
        if not self._known.ever_seen:  # by an earlier run
            seen = GateState.objects.filter(host=host_id()).values_list("sensor_ever_seen", flat=True).first()
            self._known.ever_seen = bool(seen)
        if vitals.temperature.ever_seen and not self._stored_ever_seen:
            GateState.objects.update_or_create(host=host_id(), defaults={"sensor_ever_seen": True})
            self._stored_ever_seen = True

    def _report(self, problem: str | None) -> None:
        """Say it once when it begins and once when it is over."""
        if problem is not None and self.database_problem is None:
            logger.warning("samples cannot be stored (%s); trying again", problem)
        if problem is None and self.database_problem is not None:
            logger.warning("samples are stored again")
        self.database_problem = problem
