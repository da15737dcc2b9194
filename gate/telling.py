"""Tell of incidents beside the watch of a machine, in the order in which they happened.

A report may wait a second for the database, and longer for a connection to it; whoever pauses a hot process must not.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from django.db import DatabaseError, connections

from gate.core.incidents.kinds import IncidentKind
from gate.core.incidents.occurrence import Evidence
from gate.core.incidents.watching import end_kind
from gate.core.watch import Watched
from gate.services import incident_report, incident_settled

__all__ = ["Teller"]

FINISH_SECONDS = 10.0  # a report that has not come through by then waits for a database that answers nobody


class Teller:
    """For one watch. `subject`: what is watched, as incidents tell it apart. A short-lived thread does the telling."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._is_paused = False  # as it was told
        self._waiting: deque[Callable[[], None]] = deque()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None

    def paused(self, what: str, watched: Watched, job_ref: str) -> None:
        """`what`: who was paused, the beginning of a sentence."""
        self._is_paused = True
        self._report(IncidentKind.THERMAL_PAUSE, f"{what} was paused: {watched.reason}.", watched, job_ref)

    def goes_on(self, why: str) -> None:
        """The pause is over; nothing is told when there was none."""
        if self._is_paused:
            self._is_paused = False
            self._add(partial(incident_settled, IncidentKind.THERMAL_PAUSE, why, subject=self._subject))

    def ended(
        self, what: str, watched: Watched, job_ref: str, *, recovery: str = "", evidence: Sequence[Evidence] = ()
    ) -> None:
        text = f"{what} was ended: {watched.reason}."
        self._report(end_kind(watched.cause), text, watched, job_ref, recovery=recovery, evidence=evidence)

    def finish(self) -> None:
        """Wait until everything is told, `FINISH_SECONDS` at most."""
        self._start_thread()
        with self._guard:
            thread = self._thread
        if thread is not None:
            thread.join(FINISH_SECONDS)

    # ── inside ───────────────────────────────────────────────────────────────────────────────────
    def _report(self, kind: IncidentKind, text: str, watched: Watched, job_ref: str, **facts: Any) -> None:
        report = partial(incident_report, kind, self._subject, text, job_ref=job_ref, **facts)
        self._add(partial(report, measures=watched.measures, at=watched.taken_at or None))

    def _add(self, tell: Callable[[], None]) -> None:
        with self._guard:
            self._waiting.append(tell)
        self._start_thread()

    def _start_thread(self) -> None:
        with self._guard:
            if self._thread is not None or not self._waiting:
                return
            thread = threading.Thread(target=self._run, daemon=True, name="incident-teller")
            with suppress(RuntimeError):  # no room for another thread: told with the next, or at the end
                thread.start()
                self._thread = thread

    def _run(self) -> None:
        try:
            while (tell := self._next()) is not None:
                tell()
        finally:
            with suppress(DatabaseError):
                connections.close_all()

    def _next(self) -> Callable[[], None] | None:
        with self._guard:
            if not self._waiting:
                self._thread = None
                return None
            return self._waiting.popleft()
