"""`manage.py sampler`: sensors every second, and the sweeper that wakes the queue when a job is due."""

from __future__ import annotations

import logging
import signal
import threading
import time
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.utils import timezone

from gate.core.patient import patient_stdout
from gate.core.units import bytes_text
from gate.recorder import Recorder
from gate.sampler import Sampler
from transcribe.retention import removed_lines, retention_policy, tidy
from transcribe.services import queue_sweep
from transcribe.services.claims import jobs_running_here
from transcribe.services.incidents import long_blocks_report, recovery_note, running_work

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 2.0
LOOK_SECONDS = 20.0
TIDY_FIRST_SECONDS = 600.0  # not in the middle of a start
TIDY_EVERY_SECONDS = 86_400.0
# What a locked database may hold up the loop at each of its two or three writes: the black box is written in the same
# loop, and its last readings should be seconds old. What could not be stored is tried again at the next look.
PATIENCE_MS = 3000


class Command(BaseCommand):
    help = "Sample the sensors every second and wake the queue when a job is due."
    requires_system_checks = ["j5a"]  # the panel's own; Django's would import every page

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        connection_created.connect(_wait_briefly)
        connections.close_all()
        patient_stdout.write("sampler: ready\n")
        sweeper, tidier = _Sweeper(), _Tidier()

        def on_tick(now: float) -> None:
            sweeper(now)
            if sampler.is_clock_steady:
                tidier(time.monotonic())

        recorder = Recorder(work=running_work)
        sampler = Sampler(is_working=lambda: jobs_running_here().exists(), recorder=recorder)
        sampler.run(stop, on_tick=on_tick)


def _wait_briefly(connection: BaseDatabaseWrapper, **_: object) -> None:
    """For the loop only: tidying has a thread of its own, and time."""
    if connection.vendor == "sqlite" and threading.current_thread() is threading.main_thread():
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")


class _Sweeper:
    """Called with the time of every tick: sweeps every `SWEEP_SECONDS`, looks for incidents every `LOOK_SECONDS`."""

    def __init__(self) -> None:
        self._next_at = self._look_at = 0.0
        self._started = timezone.now()

    def __call__(self, now: float) -> None:
        self._sweep(now)
        if now < self._look_at <= now + LOOK_SECONDS:
            return
        self._look_at = now + LOOK_SECONDS
        try:
            long_blocks_report()
            recovery_note(since=self._started)
        except DatabaseError:
            logger.exception("incidents could not be looked for; trying again in %g s", LOOK_SECONDS)

    def _sweep(self, now: float) -> None:
        if now < self._next_at:
            return
        self._next_at = now + SWEEP_SECONDS
        try:
            queue_sweep()
        except DatabaseError:
            logger.exception("the queue could not be swept; trying again in %g s", SWEEP_SECONDS)


class _Tidier:
    """Called with a steady clock at every tick; tidies once a day, beside the loop, which must not wait for a disk."""

    def __init__(self) -> None:
        self._next_at: float | None = None

    def __call__(self, now: float) -> None:
        if self._next_at is None:
            self._next_at = now + TIDY_FIRST_SECONDS
        if now >= self._next_at:
            self._next_at = now + TIDY_EVERY_SECONDS
            threading.Thread(target=tidy_and_tell, name="tidy", daemon=True).start()


def tidy_and_tell() -> None:
    """Whatever fails costs this time, not the sampler."""
    try:
        for line in removed_lines(tidy(retention_policy()), bytes_text):
            logger.info("removed %s (kept for as long as the J5A_KEEP_ settings say)", line)
    except Exception:
        logger.exception("tidying ended early; it is tried again tomorrow")
    finally:
        connections.close_all()
