"""Tell of an incident from anywhere. Never raises, never waits long: watching the machine comes first.

What the database does not take within a second goes into a small file in the data directory; the sampler brings it in.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.db import DatabaseError, connection, transaction

from gate.conf import black_box_dir, host_id
from gate.core.incidents.kinds import IncidentKind
from gate.core.incidents.lifecycle import IncidentStatus
from gate.core.incidents.measures import Measure
from gate.core.incidents.occurrence import Evidence, Occurrence
from gate.models import Incident
from gate.services.incidents import incident_open_or_join, incidents_settle

__all__ = ["incident_report", "incident_settled", "incidents_hold", "reports_bring_in"]

logger = logging.getLogger(__name__)

PATIENCE_MS = 1000
WAITING_LIMIT_BYTES = 1024 * 1024  # thousands of them: more is a flood, and the log has them
BROUGHT_IN_AT_ONCE = 50  # in one transaction: some tenths of a second for which others wait


def incident_report(
    kind: IncidentKind,
    subject: str,
    summary: str,
    *,
    measures: Sequence[Measure] = (),
    job_ref: str = "",
    causes: Sequence[str] = (),
    evidence: Sequence[Evidence] = (),
    recovery: str = "",
    settled: bool = False,
    at: float | None = None,
) -> None:
    """Open or join the incident of this cause. `settled`: it is over already. `at`: unix seconds, now if not given.

    Safe in a transaction of the caller (the row is then part of it) and with a database that is locked or away.
    """
    occurrence = Occurrence(
        kind=kind,
        subject=subject,
        summary=summary,
        at=time.time() if at is None else at,
        measures=tuple(measures),
        job_ref=job_ref,
        causes=tuple(causes),
        evidence=tuple(piece.bounded() for piece in evidence),
        recovery=recovery,
        settled=settled,
    )
    try:
        with _brief_patience(), transaction.atomic():
            incident_open_or_join(occurrence)
    except DatabaseError as problem:
        _keep_for_later(occurrence, problem)
    except Exception:  # the caller ends a hot process or takes a lock: nothing here may stop it
        logger.exception("an incident (%s: %s) could not be written", kind, summary)


def incident_settled(kind: IncidentKind, why: str, *, subject: str | None = None) -> None:
    """The cause is over. Never raises; what the database does not take waits in the file, behind what opened it."""
    over = _Over(kind=kind, why=why, subject=subject)
    try:
        with _brief_patience(), transaction.atomic():
            incidents_settle(kind, why, subject=subject)
        if _something_waits():  # perhaps the very report of what is over now
            _keep_line(over)
    except DatabaseError as problem:
        _keep_for_later(over, problem)
    except Exception:
        logger.exception("incidents (%s) could not be resolved", kind)


def incidents_hold(kind: IncidentKind, present: Iterable[Occurrence], *, over: str) -> None:
    """Open what is present and not open yet, resolve what is open and not present any more (`over` says why).

    For a look that comes again and again: it neither counts nor writes while nothing changes. Raises DatabaseError.
    """
    by_subject = {occurrence.subject: occurrence for occurrence in present}
    known = Incident.objects.filter(host=host_id(), kind=kind.value).exclude(status=IncidentStatus.RESOLVED)
    already = set(known.values_list("subject", flat=True))
    for subject, occurrence in by_subject.items():
        if subject not in already:
            incident_open_or_join(occurrence)
    for subject in already - by_subject.keys():
        incidents_settle(kind, over, subject=subject)


@contextmanager
def _brief_patience() -> Iterator[None]:
    """SQLite waits a second for its lock, not thirty; in a transaction of the caller the lock is there already."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        usual_ms = int(cursor.execute("PRAGMA busy_timeout").fetchone()[0])  # the sampler has less than others
    _wait_at_most(PATIENCE_MS)
    try:
        yield
    finally:
        _wait_at_most(usual_ms)


def _wait_at_most(milliseconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {int(milliseconds)}")


# ── the file for what the database did not take ──────────────────────────────────────────────────
@dataclass(frozen=True, kw_only=True)
class _Over:
    """In the file it is told from an occurrence by its `why`."""

    kind: IncidentKind
    why: str
    subject: str | None

    @property
    def summary(self) -> str:
        return self.why

    def to_json_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json_dict(cls, data: dict[str, Any]) -> _Over:
        return cls(**(data | {"kind": IncidentKind(data["kind"])}))


def _keep_for_later(told: Occurrence | _Over, problem: DatabaseError) -> None:
    logger.warning("an incident waits in a file, the database does not take it (%s): %s", problem, told.summary)
    _keep_line(told)


def _keep_line(told: Occurrence | _Over) -> None:
    try:
        line = (json.dumps(told.to_json_dict(), ensure_ascii=False) + "\n").encode()
        with _waiting_file(os.O_RDWR | os.O_CREAT | os.O_APPEND) as descriptor:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line  # the one before was torn: it costs only itself
            if size + len(line) <= WAITING_LIMIT_BYTES:
                os.write(descriptor, line)
                os.fsync(descriptor)  # a freeze may come next
    except (OSError, ValueError) as error:
        logger.error("it cannot be kept for later either (%s)", error)


def _something_waits() -> bool:
    try:
        return _waiting_path().stat().st_size > 0
    except OSError:
        return False


def _waiting_path() -> Path:
    return black_box_dir() / "incidents-waiting.jsonl"


@contextmanager
def _waiting_file(flags: int) -> Iterator[int]:
    """The file under its lock, and the one that the path names: the sampler may have moved another away."""
    while True:
        descriptor = os.open(_waiting_path(), flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                yield descriptor
                return
        finally:
            os.close(descriptor)


def reports_bring_in() -> int:
    """Write what waits into the database; how many. Raises DatabaseError with the rest still waiting.

    A report leaves the file when the database has it: a kill in between makes it count twice, and loses none.
    """
    count = 0
    try:
        while (waiting := _first_lines())[1]:
            with transaction.atomic():
                count += sum(map(_brought_in, _told_lines(waiting[1])))
            if not _drop(*waiting):
                break
    except OSError as problem:
        logger.warning("reports of incidents that wait cannot be brought in (%s)", problem)
    return count


def _told_lines(data: bytes) -> Iterator[Occurrence | _Over]:
    return (found for line in data.split(b"\n") if (found := _told(line)) is not None)


def _brought_in(told: Occurrence | _Over) -> bool:
    """False for one that the database can never take: it must not keep the others waiting."""
    try:
        with transaction.atomic():
            _bring_in(told)
    except DatabaseError:
        raise
    except Exception:
        logger.exception("a report of an incident that waited could not be written: %s", told.summary)
        return False
    return True


def _first_lines() -> tuple[int, bytes]:
    """Where they begin, and the lines; the last one may have no end, torn by a full disk or a power cut."""
    try:
        with _waiting_file(os.O_RDONLY) as descriptor:
            data = _read_all(descriptor)
    except FileNotFoundError:
        return 0, b""
    lines = data.lstrip(b"\n")
    first = lines.splitlines(keepends=True)[:BROUGHT_IN_AT_ONCE]
    return len(data) - len(lines), b"".join(first)


def _drop(begins_at: int, done: bytes) -> bool:
    """Blank these bytes, which needs no room on a full disk, and remove the file when nothing else is in it.

    False when they are not there any more.
    """
    try:
        with _waiting_file(os.O_RDWR) as descriptor:
            if os.pread(descriptor, len(done), begins_at) != done:
                return False
            os.pwrite(descriptor, b"\n" * len(done), begins_at)
            if not _read_all(descriptor).strip(b"\n"):
                _waiting_path().unlink()  # who waits for its lock sees that and makes a new one
            return True
    except FileNotFoundError:
        return False


def _bring_in(told: Occurrence | _Over) -> None:
    if isinstance(told, _Over):
        incidents_settle(told.kind, told.why, subject=told.subject)
    else:
        incident_open_or_join(told)


def _read_all(descriptor: int) -> bytes:
    return os.pread(descriptor, WAITING_LIMIT_BYTES, 0)


def _told(line: bytes) -> Occurrence | _Over | None:
    """None for an empty line, or one that was torn by a full disk or a power cut."""
    try:
        if not line.strip():
            return None
        data = json.loads(line)
        return _Over.from_json_dict(data) if "why" in data else Occurrence.from_json_dict(data)
    except (ValueError, TypeError, KeyError, AttributeError):
        logger.warning("a report of an incident could not be read and is left out")
        return None
