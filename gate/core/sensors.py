"""Read the machine. The only importer of psutil; whatever fails here becomes a reading with a reason."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import psutil

from gate.core.answering import NoAnswer
from gate.core.cgroups import GroupMemory, read_group_memory
from gate.core.hwmon import chip_and_file, hwmon_inputs, read_celsius, read_zones
from gate.core.lockfile import HeavyLock
from gate.core.policy import GatePolicy
from gate.core.processes import (
    ProcessRow,
    command_text,
    descendants,
    is_watched,
    program_name,
    whisper_program,
)
from gate.core.proctable import ArgvCache, read_process_table
from gate.core.readings import (
    ActivityReading,
    ForeignProcess,
    LockReading,
    LockState,
    MemoryReading,
    MemorySource,
    ProcessReading,
    Program,
    Snapshot,
    TemperatureReading,
    Vitals,
)
from gate.core.sensor_memory import SensorMemory
from gate.core.thermal import RawSensor, judge_sensors, sensor_class
from gate.core.units import seconds_text

__all__ = ["SensorMemory", "read_pressure", "take_snapshot", "take_vitals"]

_PRESSURE = Path("/proc/pressure/memory")
_LARGEST_COUNT = 5  # protocol: "the five largest programs"
_T = TypeVar("_T")


class _HostMemory(Protocol):
    """The part of psutil's svmem that is used."""

    @property
    def total(self) -> int: ...
    @property
    def available(self) -> int: ...


def take_snapshot(
    policy: GatePolicy,
    lock_path: Path,
    *,
    known: SensorMemory,
    own_pids: frozenset[int],
    host: str | None = None,
    trust_holder: bool = True,
) -> Snapshot:
    """Read everything the five checks need. Never raises for a sensor. Safe from several threads.

    `trust_holder`: what the live holder of the lock started is no foreign Whisper.
    """
    with known.guard:
        vitals = take_vitals(policy, known)
        lock = HeavyLock(lock_path, host=host, hung_after_seconds=policy.hung_after_seconds).inspect()
        no_rows: tuple[ProcessRow, ...] = ()
        rows, problem = _attempt(lambda: _process_rows(known.argv_cache), no_rows)
    holder_pids = _holder_pids(lock) if trust_holder else frozenset()
    return Snapshot(
        taken_at=vitals.taken_at,
        memory=replace(vitals.memory, largest=_largest(rows)),
        temperature=vitals.temperature,
        load1=vitals.load1,
        fan_rpm=vitals.fan_rpm,
        processes=ProcessReading(foreign=_foreign(rows, own_pids | holder_pids), problem=problem),
        activity=_activity(rows, policy, problem),
        lock=lock,
    )


def take_vitals(policy: GatePolicy, known: SensorMemory) -> Vitals:
    """Memory, temperature, load and fan: cheap enough for every second."""
    with known.guard:
        load1, _ = _attempt(lambda: os.getloadavg()[0], None)
        temperature = _read_temperature(policy, known, load1)
        return Vitals(
            taken_at=time.time(),
            memory=_read_memory(),
            temperature=temperature,
            load1=load1,
            fan_rpm=known.fan_rpm,
        )


# ── memory ───────────────────────────────────────────────────────────────────────────────────────
def _read_memory() -> MemoryReading:
    host, problem = _attempt(psutil.virtual_memory, None)
    group, group_problem = _attempt(read_group_memory, None)
    swap, _ = _attempt(psutil.swap_memory, None)
    psi = read_pressure()
    available_bytes, total_bytes, source = _limiting(host, group)
    unreadable = problem or group_problem
    return MemoryReading(
        # A group limit that is there and unreadable may be the tighter one: then nothing is known.
        available_bytes=None if unreadable else available_bytes,
        total_bytes=total_bytes,
        source=source,
        swap_used_bytes=swap.used if swap is not None else None,
        swap_total_bytes=swap.total if swap is not None else None,
        psi_full_avg10=psi,
        problem=unreadable,
    )


def _limiting(host: _HostMemory | None, group: GroupMemory | None) -> tuple[int | None, int | None, MemorySource]:
    if host is None:
        return None, None, MemorySource.HOST
    if group is None:
        return host.available, host.total, MemorySource.HOST
    total_bytes = min(host.total, group.limit_bytes)
    if group.available_bytes < host.available:
        return group.available_bytes, total_bytes, group.source
    return host.available, total_bytes, MemorySource.HOST


def read_pressure() -> float | None:
    """`full avg10` in per cent; None on a kernel without pressure information, and where it cannot be read."""
    return _attempt(_read_pressure, None)[0]


def _read_pressure() -> float | None:
    if not _PRESSURE.exists():
        return None
    for line in _PRESSURE.read_text().splitlines():
        if line.startswith("full "):
            return float(line.split("avg10=", 1)[1].split()[0])
    return None


# ── temperature ──────────────────────────────────────────────────────────────────────────────────
def _read_temperature(policy: GatePolicy, known: SensorMemory, load1: float | None) -> TemperatureReading:
    at_seconds = time.monotonic()
    try:
        problem = _refresh_sensors(policy, known, at_seconds)
    except NoAnswer as silent:
        known.sensors, known.fan_rpm, known.enumerated_at_seconds = (), None, None
        problem = f"{_silent_name(silent, known)} asked {seconds_text(silent.seconds)} ago does not answer"
        return TemperatureReading(deciding=None, ever_seen=known.ever_seen, problem=problem, is_silent=True)
    for sensor in known.sensors:
        known.remember(sensor, at_seconds, load1)
    reading = judge_sensors(known.sensors, policy, flatlined=known.flatlined(), ever_seen=known.ever_seen)
    known.ever_seen = reading.ever_seen
    return reading if reading.deciding is not None or problem is None else replace(reading, problem=problem)


def _silent_name(silent: NoAnswer, known: SensorMemory) -> str:
    if not silent.path.startswith("/sys/"):
        return "a sensor"
    return f"the sensor {known.ids.get(silent.path) or chip_and_file(silent.path)} ({silent.path})"


def _refresh_sensors(policy: GatePolicy, known: SensorMemory, at_seconds: float) -> str | None:
    """Read those that decide; all of them once a minute, or when one of the few gives no value. Raises NoAnswer."""
    deciding_ids = _deciding_class(policy, known)
    if not known.enumeration_due(at_seconds, searching=not deciding_ids) and _reread(known, deciding_ids):
        return None
    known.sensors, problem, known.fan_rpm = known.answering.ask(_read_all)
    known.ids |= {os.path.realpath(sensor.path): sensor.id for sensor in known.sensors if sensor.path}
    known.enumerated_at_seconds = None if problem else at_seconds
    return problem


def _read_all() -> tuple[tuple[RawSensor, ...], str | None, int | None]:
    """One question, always the same, so that a late answer to it counts."""
    nothing: tuple[RawSensor, ...] = ()
    sensors, problem = _attempt(_enumerate_sensors, nothing)
    fan_rpm, _ = _attempt(_read_fan, None)
    return sensors, problem, fan_rpm


def _deciding_class(policy: GatePolicy, known: SensorMemory) -> frozenset[str]:
    """The deciding sensor and its equals (the other socket, the other cores): any may be hottest next."""
    reading = judge_sensors(known.sensors, policy, flatlined=known.flatlined(), ever_seen=known.ever_seen)
    if reading.deciding is None:
        return frozenset()
    kinds = {sensor.id: sensor_class(sensor.chip, sensor.label) for sensor in known.sensors}
    kind = kinds[reading.deciding.id]
    equals = {id_ for id_, other in kinds.items() if kind is not None and other is kind}
    return frozenset(equals | {reading.deciding.id})


def _reread(known: SensorMemory, ids: frozenset[str]) -> bool:
    """True when every one of them gave a value. Raises NoAnswer."""
    before = known.sensors
    fresh = known.answering.ask(
        lambda: tuple(replace(s, celsius=read_celsius(s.path)) if s.id in ids else s for s in before)
    )
    answered = all(sensor.celsius is not None for sensor in fresh if sensor.id in ids)
    if answered:
        known.sensors = fresh
    return answered


def _enumerate_sensors() -> tuple[RawSensor, ...]:
    paths = hwmon_inputs()
    zones = read_zones()
    if not hasattr(psutil, "sensors_temperatures"):  # macOS, Windows
        return tuple(zones)
    found = psutil.sensors_temperatures()
    if zones and not paths:  # then psutil shows the same zones under other names
        return tuple(zones)
    named = [
        RawSensor(chip=chip, label=entry.label, celsius=entry.current, path=paths.get((chip, entry.label)))
        for chip, entries in found.items()
        for entry in entries
    ]
    return (*named, *zones)


def _read_fan() -> int | None:
    if not hasattr(psutil, "sensors_fans"):
        return None
    return max((fan.current for fans in psutil.sensors_fans().values() for fan in fans), default=None)


# ── processes ────────────────────────────────────────────────────────────────────────────────────
def _process_rows(cache: ArgvCache) -> tuple[ProcessRow, ...]:
    rows = read_process_table(cache) if psutil.LINUX else _process_rows_elsewhere()
    if not rows:
        raise OSError("the process table is empty")
    return rows


def _process_rows_elsewhere() -> tuple[ProcessRow, ...]:
    now = time.time()
    wanted = ["ppid", "name", "cmdline", "memory_info", "create_time"]
    return tuple(_row_from(process.pid, process.info, now) for process in psutil.process_iter(wanted))


def _row_from(pid: int, info: dict[str, Any], now: float) -> ProcessRow:
    return ProcessRow(
        pid=pid,
        ppid=info["ppid"] or 0,
        name=info["name"] or "",
        rss_bytes=info["memory_info"].rss if info["memory_info"] else 0,
        age_seconds=now - info["create_time"] if info["create_time"] else None,
        argv=tuple(info["cmdline"]) if info["cmdline"] is not None else None,
    )


def _holder_pids(lock: LockReading) -> frozenset[int]:
    """A holder proved alive under the kernel lock is ours; a legacy PID proves nothing."""
    if lock.state in (LockState.HELD, LockState.HUNG) and lock.held_by_pid is not None:
        return frozenset({lock.held_by_pid})
    return frozenset()


def _foreign(rows: Sequence[ProcessRow], own: frozenset[int]) -> tuple[ForeignProcess, ...]:
    suspects = [(row, what) for row in rows if row.argv and (what := whisper_program(row.argv))]
    if not suspects:
        return ()
    ours = descendants(rows, own)
    return tuple(
        ForeignProcess(
            pid=row.pid,
            what=what,
            command=command_text(row.argv or ()),
            age_seconds=row.age_seconds,
            user=_user(row.pid),
        )
        for row, what in suspects
        if row.pid not in ours
    )


def _user(pid: int) -> str | None:
    try:
        return psutil.Process(pid).username()
    except psutil.Error:
        return None


def _largest(rows: Sequence[ProcessRow]) -> tuple[Program, ...]:
    return tuple(_program(row) for row in sorted(rows, key=lambda row: -row.rss_bytes)[:_LARGEST_COUNT])


def _activity(rows: Sequence[ProcessRow], policy: GatePolicy, problem: str | None) -> ActivityReading:
    if problem is not None:
        return ActivityReading(total_bytes=None, problem=problem)
    watched = sorted(
        (_program(row) for row in rows if is_watched(row, policy.watched_programs)),
        key=lambda program: -program.rss_bytes,
    )
    total_bytes = sum(program.rss_bytes for program in watched)
    return ActivityReading(watched=tuple(watched), total_bytes=total_bytes)


def _program(row: ProcessRow) -> Program:
    return Program(name=program_name(row.argv, row.name), pid=row.pid, rss_bytes=row.rss_bytes)


def _attempt(read: Callable[[], _T], otherwise: _T) -> tuple[_T, str | None]:
    """Any failure becomes a reason: sensors of unknown machines raise whatever they like."""
    try:
        return read(), None
    except Exception as problem:
        return otherwise, f"{type(problem).__name__}: {problem}"
