"""The five rules, each a pure function of what was read and the policy. No sensor, no clock, no file."""

from __future__ import annotations

import math
import shlex
from dataclasses import replace
from typing import NamedTuple

from gate.core.errors import LockError, LockHeld
from gate.core.hysteresis import Latch
from gate.core.policy import GatePolicy
from gate.core.readings import (
    ActivityReading,
    ForeignProcess,
    LockReading,
    LockState,
    MemoryReading,
    ProcessReading,
    Program,
    TemperatureReading,
)
from gate.core.requirement import Requirement, largest_fitting
from gate.core.units import bytes_text, celsius_text, seconds_text
from gate.core.verdict import CheckName, CheckResult, Outcome

__all__ = [
    "check_activity",
    "check_lock",
    "check_memory",
    "check_processes",
    "check_temperature",
    "latch_after",
    "lock_advice",
    "lock_refusal_text",
    "never_passes",
    "unread_temperature",
]


LOCK_MALFORMED_ADVICE = "See that no Whisper runs here, then clear it with `manage.py gate lock clear-stale`."
# All are asked in turn: to pin or ignore one does not help. `sensors` would hang, too, as would unloading its driver.
_SILENT_SENSOR_ADVICE = (
    "Starts by itself when it answers. Else restart the machine; if it comes back, keep its driver from loading "
    "(modprobe.d). While one hangs, no other is asked."
)
LOCK_HELD_ADVICE = "Starts when the holder has ended."
LOCK_DIR_ADVICE = "Mend that, or set J5A_LOCK_DIR to a folder of your own, the same for all that use the gate."


# ── 1 memory ─────────────────────────────────────────────────────────────────────────────────────
def check_memory(reading: MemoryReading, policy: GatePolicy, requirement: Requirement) -> CheckResult:
    """Block when less than the margin would remain after the model is loaded."""
    needed_bytes = requirement.bytes + policy.margin_bytes
    available_bytes = reading.available_bytes
    result = CheckResult(
        check=CheckName.MEMORY,
        outcome=Outcome.UNKNOWN,
        reading=available_bytes,
        limit=needed_bytes,
        unit="bytes",
        source=reading.source,
        summary=f"available memory could not be read ({reading.problem or 'no value'})",
        unblock="Make memory readable: without the figure nothing heavy starts.",
        evidence=_memory_evidence(reading, policy, requirement),
    )
    if available_bytes is None:
        return result
    summary = f"{bytes_text(available_bytes)} available, {_needed_text(requirement, policy)}"
    short_bytes = needed_bytes - available_bytes
    if short_bytes <= 0:
        return _with(result, Outcome.PASS, summary)
    return _with(result, Outcome.BLOCK, summary, _memory_unblock(reading, policy, requirement, short_bytes))


def never_passes(reading: MemoryReading, policy: GatePolicy, requirement: Requirement) -> bool:
    """True when this machine has too little memory in all, whatever is closed or stopped."""
    total_bytes = reading.total_bytes
    return total_bytes is not None and total_bytes < requirement.bytes + policy.margin_bytes


def _needed_text(requirement: Requirement, policy: GatePolicy) -> str:
    needed = bytes_text(requirement.bytes + policy.margin_bytes)
    parts = f"{requirement.model} {bytes_text(requirement.bytes)} + margin {bytes_text(policy.margin_bytes)}"
    return f"{needed} needed ({parts})"


def _memory_unblock(reading: MemoryReading, policy: GatePolicy, requirement: Requirement, short_bytes: int) -> str:
    if never_passes(reading, policy, requirement):
        return _never_text(reading.total_bytes or 0, policy, requirement)
    short = f"{bytes_text(short_bytes)} short"
    if not reading.largest:
        return f"{short}: stop something, or choose a smaller model."
    return f"{short}: the largest programs are {programs_text(reading.largest)}."


def _never_text(total_bytes: int, policy: GatePolicy, requirement: Requirement) -> str:
    fits = largest_fitting(total_bytes, policy)
    best = f"The largest model that fits is {fits.model}." if fits else "No model fits with this margin."
    has = f"it has {bytes_text(total_bytes)} in all, {_needed_text(requirement, policy)}"
    return f"This machine can never start {requirement.model}: {has}. {best}"


def programs_text(programs: tuple[Program, ...]) -> str:
    return ", ".join(f"{program.name} {bytes_text(program.rss_bytes)}" for program in programs)


def _memory_evidence(reading: MemoryReading, policy: GatePolicy, requirement: Requirement) -> tuple[str, ...]:
    lines = [
        f"requirement: {bytes_text(requirement.bytes)} ({requirement.source})",
        f"limited by: {reading.source}",
    ]
    if reading.total_bytes is not None:
        lines.append(f"in all: {bytes_text(reading.total_bytes)}")
    if reading.swap_total_bytes and reading.swap_used_bytes is not None:
        swap = f"{bytes_text(reading.swap_used_bytes)} of {bytes_text(reading.swap_total_bytes)}"
        lines.append(f"swap used: {swap}")
    if reading.psi_full_avg10 is not None:
        lines.append(f"memory pressure: all tasks waited {reading.psi_full_avg10:.1f} % of the last 10 s")
    lines += [f"{p.name} (PID {p.pid}): {bytes_text(p.rss_bytes)}" for p in reading.largest]
    return tuple(lines)


# ── 2 temperature ────────────────────────────────────────────────────────────────────────────────
def latch_after(reading: TemperatureReading, policy: GatePolicy, latch: Latch) -> Latch:
    """The heat latch after this reading; an unreadable temperature leaves it as it was."""
    celsius = _celsius(reading)
    if celsius is None:
        return latch
    return latch.after(celsius, trip=policy.trip_celsius, reset=policy.reset_celsius)


def check_temperature(reading: TemperatureReading, policy: GatePolicy, latch: Latch) -> CheckResult:
    """Block at the trip mark, and until below the reset mark once blocked. `latch`: after this reading."""
    celsius = _celsius(reading)
    result = CheckResult(
        check=CheckName.TEMPERATURE,
        outcome=Outcome.PASS,
        reading=celsius,
        limit=policy.reset_celsius if latch.tripped else policy.trip_celsius,
        unit="°C",
        source=reading.deciding.id if reading.deciding else "",
        summary="",
        evidence=tuple(f"{s.id}: {_sensor_text(s.celsius)}, {s.reason}" for s in reading.sensors),
    )
    if celsius is None:
        missing = unread_temperature(reading)
        if missing is not None:
            return _with(result, Outcome.UNKNOWN, f"the temperature could not be read ({missing.why})", missing.advice)
        summary = "no temperature sensor here" if not reading.sensors else "no usable temperature sensor here"
        return _with(result, Outcome.WARN, summary, "The machine runs without a heat check.")
    measured = f"{celsius_text(celsius)} ({result.source.replace('/', ' ')})"
    if not latch.tripped:
        return _with(result, Outcome.PASS, f"{measured}, limit {celsius_text(policy.trip_celsius)}")
    return _with(result, Outcome.BLOCK, _hot_text(measured, celsius, policy), _cooling_text(measured, reading, policy))


def _celsius(reading: TemperatureReading) -> float | None:
    value = reading.deciding.celsius if reading.deciding else None
    return value if value is not None and math.isfinite(value) else None


def _sensor_text(celsius: float | None) -> str:
    return "unreadable" if celsius is None else celsius_text(celsius)


class Missing(NamedTuple):
    """`why` begins small and has no full stop; `advice`: what helps, in sentences."""

    why: str
    advice: str


def unread_temperature(reading: TemperatureReading) -> Missing | None:
    """Why no sensor decides; None where one does, or on a machine that never had a usable one and may go on without."""
    if _celsius(reading) is not None or (not reading.ever_seen and reading.problem is None):
        return None
    return Missing(
        reading.problem or "a sensor was seen on this machine before, and none answers now",
        _SILENT_SENSOR_ADVICE
        if reading.is_silent
        else "Bring the sensor back (`sensors`, `modprobe coretemp`), or pin another one.",
    )


def _hot_text(measured: str, celsius: float, policy: GatePolicy) -> str:
    if celsius >= policy.trip_celsius:
        return f"{measured}, limit {celsius_text(policy.trip_celsius)}"
    was_hot = f"it reached {celsius_text(policy.trip_celsius)}"
    return f"{measured}, still cooling: {was_hot} and must fall below {celsius_text(policy.reset_celsius)}"


def _cooling_text(measured: str, reading: TemperatureReading, policy: GatePolicy) -> str:
    expected = reading.cooling_seconds
    wait = "" if expected is None else f", in about {seconds_text(expected)} if it goes on cooling as it does now"
    return f"Cooling: {measured}; starts again below {celsius_text(policy.reset_celsius)}{wait}."


# ── 3 whisper processes ──────────────────────────────────────────────────────────────────────────
def check_processes(reading: ProcessReading) -> CheckResult:
    """Block while any Whisper process runs that is not ours."""
    count = len(reading.foreign)
    result = CheckResult(
        check=CheckName.PROCESSES,
        outcome=Outcome.PASS,
        reading=count,
        limit=0,
        unit="processes",
        source="process table",
        summary="no other Whisper process runs",
        evidence=tuple(
            f"PID {p.pid} {p.what}, {_whose(p)}{_age_text(p.age_seconds)}: {p.command}" for p in reading.foreign
        ),
    )
    if reading.problem is not None:
        unreadable = f"the process table could not be read ({reading.problem})"
        unknown = _with(result, Outcome.UNKNOWN, unreadable, "Make /proc readable for this user.")
        return unknown if not count else _processes_block(result, reading)
    return result if not count else _processes_block(result, reading)


def _processes_block(result: CheckResult, reading: ProcessReading) -> CheckResult:
    named = ", ".join(f"{p.what} (PID {p.pid}, {_whose(p)}{_age_text(p.age_seconds)})" for p in reading.foreign)
    count = len(reading.foreign)
    summary = f"{count} other Whisper {'process runs' if count == 1 else 'processes run'}: {named}; limit 0"
    they = ("it has", "it") if count == 1 else ("they have", "them")
    return _with(result, Outcome.BLOCK, summary, f"Starts when {they[0]} ended; or stop {they[1]} yourself.")


def _whose(process: ForeignProcess) -> str:
    return "" if process.user is None else f"user {process.user}, "


def _age_text(age_seconds: float | None) -> str:
    return "age unknown" if age_seconds is None else f"running {seconds_text(age_seconds)}"


# ── 4 activity ───────────────────────────────────────────────────────────────────────────────────
def check_activity(reading: ActivityReading, policy: GatePolicy) -> CheckResult:
    """Warn about busy watched programs. Never blocks, not even when nothing could be read."""
    result = CheckResult(
        check=CheckName.ACTIVITY,
        outcome=Outcome.PASS,
        reading=reading.total_bytes,
        limit=policy.activity_warn_bytes,
        unit="bytes",
        source="process table",
        summary="",
        evidence=tuple(f"{p.name} (PID {p.pid}): {bytes_text(p.rss_bytes)}" for p in reading.watched),
    )
    watched = f"watched programs ({', '.join(policy.watched_programs) or 'none'})"
    total_bytes = reading.total_bytes
    if total_bytes is None:
        return _with(result, Outcome.WARN, f"{watched}: not readable ({reading.problem or 'no value'})")
    summary = f"{watched}: {bytes_text(total_bytes)}, limit {bytes_text(policy.activity_warn_bytes)}"
    if total_bytes <= policy.activity_warn_bytes:
        return _with(result, Outcome.PASS, summary)
    return _with(result, Outcome.WARN, summary, _activity_advice(total_bytes, policy))


def _activity_advice(total_bytes: int, policy: GatePolicy) -> str:
    if total_bytes > policy.activity_high_bytes:
        return f"Over {bytes_text(policy.activity_high_bytes)}: wait, or stop what is not critical."
    return "Expect slower work while it is active."


# ── 5 lock ───────────────────────────────────────────────────────────────────────────────────────
def check_lock(reading: LockReading) -> CheckResult:
    """Block while somebody else holds the lock. Reports a stale lock, and leaves it as it is."""
    result = CheckResult(
        check=CheckName.LOCK,
        outcome=Outcome.PASS,
        reading=1 if reading.is_live and not reading.ours else 0,
        limit=0,
        unit="holders",
        source=str(reading.path),
        summary=reading.sentence,
        evidence=reading.proof,
    )
    if reading.ours and reading.problem is None:
        return _with(result, Outcome.PASS, "held by this run")
    if reading.state is LockState.MALFORMED or reading.problem is not None:
        return _with(result, Outcome.UNKNOWN, reading.sentence, _untrusted_advice(reading))
    if reading.is_live:
        return _with(result, Outcome.BLOCK, reading.sentence, lock_advice(reading))
    if reading.unwritable is not None:
        return _with(result, Outcome.BLOCK, f"it cannot be taken: {reading.unwritable}", LOCK_DIR_ADVICE)
    if reading.is_proved_stale:
        return _with(result, Outcome.WARN, reading.sentence, "The next start takes it over.")
    return result


def lock_refusal_text(refused: LockError) -> str:
    """Why nothing was started under the lock, and what would change that."""
    if isinstance(refused, LockHeld):
        return f"Blocked by lock: {refused.reading.sentence}. {lock_advice(refused.reading)}"
    return f"Blocked by lock: {refused}. {LOCK_DIR_ADVICE}"


def _untrusted_advice(reading: LockReading) -> str:
    if reading.problem is not None:
        return LOCK_DIR_ADVICE
    return LOCK_MALFORMED_ADVICE


def lock_advice(reading: LockReading) -> str:
    """What would free a lock that somebody holds."""
    if reading.state is LockState.HUNG:
        return "Its holder shows no sign of life: look at the job, and stop it if it hangs."
    if reading.state is LockState.LEGACY and reading.held_by_pid is not None:
        look = f"{LOCK_HELD_ADVICE} See what it is with `ps -fp {reading.held_by_pid}`."
        if reading.holder is None:  # only a person can tell: a live PID in the file counts as its holder
            path = shlex.quote(str(reading.path))
            look += f" If that runs no Whisper, its number was given away: then `rm {path}`."
        return look
    if reading.state is LockState.MALFORMED:
        return LOCK_MALFORMED_ADVICE
    return LOCK_HELD_ADVICE


def _with(result: CheckResult, outcome: Outcome, summary: str, unblock: str = "") -> CheckResult:
    return replace(result, outcome=outcome, summary=summary, unblock=unblock)
