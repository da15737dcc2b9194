"""The sampler adds to fresh incidents what the kernel wrote about that time, where its log may tell why.

In a thread beside the sampler's looks: the log may take seconds to answer.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, connections
from django.db.models import F

from gate.conf import host_id
from gate.core.incidents.kinds import KERNEL_KINDS
from gate.core.rhythm import Rhythm
from gate.kernel_log import TITLE, kernel_evidence
from gate.models import Incident
from gate.services import evidence_add

__all__ = ["KernelWatch"]

logger = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
SETTLED = timedelta(seconds=5)  # the kernel may write about it a moment after we have seen it
FRESH = timedelta(minutes=10)  # its log may have gone on far beyond what is older
OFTEN = timedelta(hours=1)  # for a cause that comes again and again


class KernelWatch:
    """`look` often; it looks every `LOOK_SECONDS`. Raises DatabaseError, and goes on at the next call."""

    def __init__(self) -> None:
        self._rhythm = Rhythm(LOOK_SECONDS)
        self._thread: threading.Thread | None = None

    def look(self, now: float) -> None:
        """`now` in unix seconds."""
        if not self._rhythm.is_due(now):
            return
        self._rhythm.done(now)  # a look that fails is no reason for the next one to come sooner
        if self._thread is not None and self._thread.is_alive():
            return
        if waiting := list(_unasked(datetime.fromtimestamp(now, UTC))):
            self._thread = threading.Thread(target=_ask, args=(waiting,), daemon=True, name="kernel-watch")
            with suppress(RuntimeError):  # no room for another thread: the next look tries again
                self._thread.start()


def _unasked(now: datetime) -> list[Incident]:
    """Incidents whose last occurrence is fresh, and has no kernel lines of about its time."""
    fresh = Incident.objects.filter(host=host_id(), kind__in=KERNEL_KINDS, last_at__range=(now - FRESH, now - SETTLED))
    asked = fresh.filter(evidence__title__startswith=TITLE, evidence__at__gte=F("last_at") - OFTEN)
    return list(fresh.exclude(pk__in=asked.values("pk")))


def _ask(incidents: list[Incident]) -> None:
    try:
        for incident in incidents:
            evidence_add(incident, kernel_evidence(since=incident.last_at.timestamp()))
    except DatabaseError as problem:
        logger.info("kernel lines could not be kept (%s); trying again", problem)
    except Exception:  # the next look may succeed
        logger.exception("kernel lines could not be added to incidents")
    finally:
        with suppress(DatabaseError):
            connections.close_all()
