"""Whether the queue stands still: a wake-up that nobody takes although no job runs, or a process of it is stopped.

A process that is killed in the wrong microsecond leaves a lock of django-q2's queues taken, and the others wait for it
for ever, all of them alive. So the cluster is judged by what it does. A stopped worker (SIGSTOP) would leave its
engine without a watch.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable

from django.db import DatabaseError, connections
from django_q.models import OrmQ

from gate.core.identity import stopped_in_group
from transcribe.services.claims import jobs_running_here

__all__ = ["StuckWatch"]

logger = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
# A wake-up is taken within a second, or after the 30 s for which the worker waits for a locked database.
STUCK_SECONDS = 60.0
STOPPED_SECONDS = 10.0  # nothing but a person or a program stops a process, so there is little to wait for
# Who was not looking for so long stood still itself (a stopped container, a machine that swaps), and so did the queue.
GAP_SECONDS = 15.0


class StuckWatch:
    """Ask often; it looks every `LOOK_SECONDS`. A database that does not answer says nothing about the queue."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._looked_at = -LOOK_SECONDS
        self._untaken, self._stopped = _Lasting(STUCK_SECONDS), _Lasting(STOPPED_SECONDS)

    def trouble(self) -> str:
        """Why it must be started anew; empty while it works, or where nothing has lasted for long enough."""
        now = self._clock()
        if now - self._looked_at < LOOK_SECONDS:
            return ""
        if now - self._looked_at > GAP_SECONDS:
            self._untaken.forget()
            self._stopped.forget()
        self._looked_at = now
        if self._untaken.lasts(_oldest_untaken(), now):
            return f"the queue stands still: a wake-up was not taken for {STUCK_SECONDS:g} s"
        if self._stopped.lasts(stopped_in_group(os.getpid()) or None, now):
            return f"a process of the queue was stopped and stood still for {STOPPED_SECONDS:g} s"
        return ""


class _Lasting:
    """Whether the same thing is seen, look for look, for so many seconds. None: there is nothing."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._seen: object = None
        self._since = 0.0

    def lasts(self, seen: object, now: float) -> bool:
        if seen is None or seen != self._seen:
            self._seen, self._since = seen, now
        return seen is not None and now - self._since >= self._seconds

    def forget(self) -> None:
        self._seen = None


def _oldest_untaken() -> int | None:
    """None also while a job runs, whose own wake-up stays until it has ended."""
    try:
        oldest = OrmQ.objects.order_by("pk").values_list("pk", flat=True).first()
        return None if oldest is None or jobs_running_here().exists() else int(oldest)
    except DatabaseError as problem:
        logger.info("whether the queue stands still is not known (%s)", problem)
        return None
    finally:
        connections.close_all()
