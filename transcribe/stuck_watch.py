"""Whether the queue stands still: a wake-up that nobody takes although no job runs.

A process that is killed in the wrong microsecond leaves a lock of django-q2's queues taken, and the others wait for it
for ever, all of them alive. So the cluster is judged by what it does.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.db import DatabaseError, connections
from django_q.models import OrmQ

from transcribe.services.claims import jobs_running_here

__all__ = ["STUCK_SECONDS", "StuckWatch"]

logger = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
# A wake-up is taken within a second, or after the 30 s for which the worker waits for a locked database.
STUCK_SECONDS = 60.0
# Who was not looking for so long stood still itself (a stopped container, a machine that swaps), and so did the queue.
GAP_SECONDS = 15.0


class StuckWatch:
    """Ask often; it looks every `LOOK_SECONDS`. A database that does not answer says nothing about the queue."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._looked_at = -LOOK_SECONDS
        self._oldest: int | None = None
        self._since = 0.0

    def is_stuck(self) -> bool:
        """Whether the same wake-up has waited for `STUCK_SECONDS` while no job ran."""
        now = self._clock()
        if now - self._looked_at < LOOK_SECONDS:
            return False
        stood_still, self._looked_at = now - self._looked_at > GAP_SECONDS, now
        oldest = _oldest_untaken()
        if oldest is None or oldest != self._oldest or stood_still:
            self._oldest, self._since = oldest, now
        return oldest is not None and now - self._since >= STUCK_SECONDS


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
