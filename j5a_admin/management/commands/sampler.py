"""`manage.py sampler`: sensors every second, and the sweeper that wakes the queue when a job is due."""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError

from gate.sampler import Sampler
from transcribe.services import queue_sweep
from transcribe.services.claims import jobs_running_here

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 2.0


class Command(BaseCommand):
    help = "Sample the sensors every second and wake the queue when a job is due."
    requires_system_checks = ["j5a"]  # the panel's own; Django's would import every page

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write("sampler: ready")
        self.stdout.flush()
        Sampler(is_working=lambda: jobs_running_here().exists()).run(stop, on_tick=_Sweeper())


class _Sweeper:
    """Called with the time of every tick; sweeps every `SWEEP_SECONDS`."""

    def __init__(self) -> None:
        self._next_at = 0.0

    def __call__(self, now: float) -> None:
        if now < self._next_at:
            return
        self._next_at = now + SWEEP_SECONDS
        try:
            queue_sweep()
        except DatabaseError:
            logger.exception("the queue could not be swept; trying again in %g s", SWEEP_SECONDS)
