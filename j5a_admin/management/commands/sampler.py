"""`manage.py sampler`: sensors every second, and the sweeper that wakes the queue when a job is due."""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError
from django.utils import timezone

from gate.recorder import Recorder
from gate.sampler import Sampler
from transcribe.services import queue_sweep
from transcribe.services.incidents import long_blocks_report, recovery_note, running_work

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 2.0
LOOK_SECONDS = 20.0


class Command(BaseCommand):
    help = "Sample the sensors every second and wake the queue when a job is due."
    requires_system_checks = ["j5a"]  # the panel's own; Django's would import every page

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write("sampler: ready")
        self.stdout.flush()
        Sampler(recorder=Recorder(work=running_work)).run(stop, on_tick=_Sweeper())


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
