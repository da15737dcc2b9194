"""The sampler's black box: what is written into it, and the incident when the last run left no end mark."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from gate.conf import black_box_dir, gate_policy, host_id
from gate.core.blackbox import BlackBox, BlackBoxBusy, Look, Run, Work
from gate.core.errors import LockError
from gate.core.identity import read_machine
from gate.core.incidents.kinds import IncidentKind
from gate.core.incidents.measures import Measure
from gate.core.incidents.occurrence import Evidence
from gate.core.incidents.shutdown import Ending, UncleanEnd, look_line, unclean_end
from gate.core.incidents.stall import Stall
from gate.core.policy import GatePolicy
from gate.core.readings import Vitals
from gate.kernel_log import kernel_evidence
from gate.services import incident_report, lock_status, policy_in_force
from gate.stall_watch import StallWatch

__all__ = ["Recorder"]

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 5.0  # at most this much is lost in a power cut; one sync of a few hundred bytes each time
_LOOKS_IN_MEMORY = 120


class Recorder:
    """`start`, then `note` every look, `close` at an end in order. A disk that fails costs the recording only."""

    def __init__(self, work: Callable[[], Work] = Work) -> None:
        self._work_of = work
        self._box: BlackBox | None = None
        self._looks: deque[Look] = deque(maxlen=_LOOKS_IN_MEMORY)
        self._unwritten: list[Look] = []
        self._flush_at = 0.0
        self._work, self._lock = Work(), ""
        self._problem = ""
        self._stalls = StallWatch(settings.STALL_SECONDS)

    def start(self) -> None:
        """Open the black box, tell of an unclean end before this start, and begin to record."""
        boot_id = read_machine().boot_id
        run = Run(host=host_id(), boot_id=boot_id, pid=os.getpid(), started_at=time.time())
        try:
            box = BlackBox(black_box_dir(), run)
            before = unclean_end(box.previous, host=run.host, boot_id=boot_id, now=run.started_at)
            if before is not None:
                _shutdown_report(before)
            box.begin()
        except (OSError, BlackBoxBusy) as problem:
            logger.warning("no black box is written: %s", problem)
        else:
            self._box = box
        self._stalls.start()

    def note(self, vitals: Vitals, now: float) -> None:
        """Keep a look, and tell of a stall that ended just before it."""
        for stall, at in self._stalls.found():
            logger.warning("%s", stall.summary)
            _stall_report(stall, [look for look in self._looks if look.at < at], at=at)
        deciding = vitals.temperature.deciding
        look = Look(
            at=now,
            celsius=None if deciding is None else deciding.celsius,
            sensor="" if deciding is None else deciding.id,
            available_bytes=vitals.memory.available_bytes,
            swap_used_bytes=vitals.memory.swap_used_bytes,
            load1=vitals.load1,
            job_ref=self._work.job_ref,
            work=self._work.text,
            lock=self._lock,
        )
        self._looks.append(look)
        self._unwritten.append(look)
        monotonic = time.monotonic()
        if monotonic >= self._flush_at:
            self._flush_at = monotonic + FLUSH_SECONDS
            self._flush()
            self._look_around()

    def close(self) -> None:
        """The mark of an end in order."""
        self._stalls.stop()
        if self._box is None:
            return
        self._flush()
        try:
            self._box.close()
        except OSError as problem:
            logger.warning("the black box could not be closed: %s", problem)
        self._box = None

    # ── inside ───────────────────────────────────────────────────────────────────────────────────
    def _flush(self) -> None:
        looks, self._unwritten = self._unwritten, []
        if self._box is None:
            return
        try:
            self._box.write(looks)
        except OSError as problem:
            if not self._problem:
                logger.warning("the black box cannot be written (%s); trying again", problem)
            self._problem = str(problem)
        else:
            self._problem = ""

    def _look_around(self) -> None:
        """What runs and who holds the lock, for the looks to come; what cannot be read stays as it was."""
        with suppress(DatabaseError):
            self._work = self._work_of()
        with suppress(LockError, OSError):
            self._lock = lock_status().sentence


def _shutdown_report(end: UncleanEnd) -> None:
    logger.warning("%s", end.summary)
    readings = Evidence(title="Readings of the last minute", text=_looks_text(end.last_minute) or "There are none.")
    incident_report(
        IncidentKind.UNCLEAN_SHUTDOWN,
        "machine" if end.ending is Ending.MACHINE_DOWN else "sampler",
        end.summary,
        at=end.last_at,
        measures=_measures(end.last_minute),
        causes=end.causes,
        job_ref=end.job_ref,
        evidence=[readings, kernel_evidence(since=end.last_at, boot_id=end.boot_id)],
    )


def _stall_report(stall: Stall, looks: list[Look], *, at: float) -> None:
    gap = Measure(name="time between two looks", value=stall.seconds, limit=settings.STALL_SECONDS, unit="s")
    last_minute = looks[-60:]
    incident_report(
        IncidentKind.STALL,
        stall.kind,
        stall.summary,
        at=at,
        measures=[gap, *_measures(last_minute)],
        causes=[stall.cause],
        job_ref=looks[-1].job_ref if looks else "",
        evidence=[
            Evidence(title="Readings of the minute before", text=_looks_text(last_minute)),
            kernel_evidence(since=at - stall.seconds),
        ],
        settled=stall.is_over,
    )


def _measures(looks: Iterable[Look]) -> list[Measure]:
    """The hottest and the lowest of the looks against the limits at which a running process is paused or ended."""
    looks = list(looks)
    policy = _policy()
    found: list[Measure] = []
    hottest = max((look for look in looks if look.celsius is not None), key=lambda x: x.celsius or 0.0, default=None)
    if hottest is not None and hottest.celsius is not None:
        found.append(
            Measure(
                name="temperature",
                value=hottest.celsius,
                limit=policy.trip_celsius,
                unit="°C",
                source=hottest.sensor,
            )
        )
    available = [look.available_bytes for look in looks if look.available_bytes is not None]
    if available:
        limit = policy.end_available_bytes
        low = Measure(name="available memory", value=min(available), limit=limit, unit="bytes", at_least=True)
        found.append(low)
    return found


def _policy() -> GatePolicy:
    try:
        return policy_in_force()
    except DatabaseError:
        return gate_policy()


def _looks_text(looks: Iterable[Look]) -> str:
    return "\n".join(look_line(look, _clock(look.at)) for look in looks)


def _clock(at: float) -> str:
    return f"{timezone.localtime(datetime.fromtimestamp(at, UTC)):%Y-%m-%d %H:%M:%S %Z}"
