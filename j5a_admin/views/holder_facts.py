"""What is known about the holder of the lock, line by line, each with the words for what is missing."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from gate.core.identity import read_machine, record_for
from gate.core.readings import LockReading
from gate.core.records import LockRecord
from gate.core.units import seconds_text

__all__ = ["Fact", "holder_facts", "moment_of"]


@dataclass(frozen=True, kw_only=True)
class Fact:
    """`moment` is set where the text is a point in time."""

    name: str
    text: str
    moment: datetime | None = None


def holder_facts(reading: LockReading) -> list[Fact]:
    """Empty for a lock that names nobody."""
    if reading.holder is not None:
        return _recorded(reading.holder, reading)
    if reading.held_by_pid is not None:
        return _unrecorded(reading.held_by_pid)
    return []


def _recorded(record: LockRecord, reading: LockReading) -> list[Fact]:
    pid = str(record.pid)
    if reading.held_by_pid not in (None, record.pid):
        pid = f"{record.pid} is gone; PID {reading.held_by_pid} inherited it"
    return [
        Fact(name="PID", text=pid),
        _start(record),
        Fact(name="Boot", text=record.boot_id or "not recorded"),
        Fact(name="Host", text=record.host),
        Fact(name="User", text=record.user or "not recorded"),
        Fact(name="Command", text=record.command or "not recorded"),
        Fact(name="Model", text=record.model or "not recorded"),
        Fact(name="Works for", text=record.job_ref or "nobody named"),
        _since(record),
        Fact(name="Last sign of life", text=_life(record, reading)),
    ]


def _since(record: LockRecord) -> Fact:
    moment = moment_of(record.since_unix)
    return Fact(name="Since", text="not recorded" if moment is None else "", moment=moment)


def _start(record: LockRecord) -> Fact:
    if record.start_ticks is None:
        return Fact(name="Started", text="not recorded")
    is_this_boot = record.boot_id is not None and record.boot_id == read_machine().boot_id
    moment = _moment_of_ticks(record.start_ticks) if is_this_boot else None
    return Fact(name="Started", text=f"{record.start_ticks} ticks after boot", moment=moment)


def _moment_of_ticks(start_ticks: int) -> datetime | None:
    booted_unix = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    try:
        return moment_of(booted_unix + start_ticks / os.sysconf("SC_CLK_TCK"))
    except OverflowError:
        return None


def _life(record: LockRecord, reading: LockReading) -> str:
    if record.named_over_pid is not None:
        return f"it gives none: it inherited the lock from PID {record.named_over_pid}"
    if not record.beats:
        return "a shell script gives none"
    age_seconds = reading.heartbeat_age_seconds
    return "none known" if age_seconds is None else f"{seconds_text(age_seconds)} ago"


def _unrecorded(pid: int) -> list[Fact]:
    """An older script left only its PID; what runs under that number now is all there is."""
    now = record_for(pid, machine=read_machine())
    return [
        Fact(name="PID", text=str(pid)),
        Fact(name="Command", text=f"{now.command} (what runs as this PID now)" if now.command else "not readable"),
        Fact(name="Record", text="none: an older script wrote only its PID"),
    ]


def moment_of(unix: float) -> datetime | None:
    """None for what no calendar has; the record is a file, and may say anything."""
    try:
        return datetime.fromtimestamp(unix, UTC) if unix > 0 else None
    except (OverflowError, ValueError, OSError):
        return None
