"""A verdict, a lock and a sensor in the words of the command line."""

from __future__ import annotations

from gate.core.checks import LOCK_DIR_ADVICE, lock_advice, unread_temperature
from gate.core.readings import LockReading, LockState, SensorReading, TemperatureReading
from gate.core.units import celsius_text, seconds_text
from gate.core.verdict import CheckResult, Verdict

__all__ = ["lock_lines", "sensor_lines", "verdict_lines"]


def verdict_lines(verdict: Verdict) -> list[str]:
    """Each check with what would unblock it, then the verdict in one sentence."""
    lines = [line for number, result in enumerate(verdict.results, 1) for line in _check_lines(number, result)]
    return [*lines, "", verdict.reason]


def _check_lines(number: int, result: CheckResult) -> list[str]:
    first = f"{number}/5 {result.outcome.upper():7} {result.check}: {result.summary}"
    return [first, f"            {result.unblock}"] if result.unblock else [first]


def lock_lines(reading: LockReading) -> list[str]:
    """The state, then its proof line by line."""
    lines = [f"{reading.path}", f"{reading.state}: {reading.sentence}"]
    lines += [f"    {line}" for line in reading.proof]
    holder = reading.holder
    if holder is not None and reading.is_live:
        lines += [f"    holder: PID {holder.pid}, user {holder.user or '-'}, host {holder.host}"]
        lines += [f"    boot: {holder.boot_id or '-'}, start: {holder.start_ticks or '-'} ticks after boot"]
    if reading.heartbeat_age_seconds is not None:
        lines.append(f"    last sign of life: {seconds_text(reading.heartbeat_age_seconds)} ago")
    if reading.unwritable is not None:
        lines.append(f"    It cannot be taken: {reading.unwritable}. {LOCK_DIR_ADVICE}")
    if reading.is_live:
        lines.append(f"    {lock_advice(reading)}")
    if reading.is_proved_stale or reading.state is LockState.MALFORMED:
        lines.append("    `manage.py gate lock clear-stale --why …` clears it, after proving that again.")
    return lines


def sensor_lines(reading: TemperatureReading) -> list[str]:
    """Every sensor with how it is judged; the one that decides first."""
    missing = unread_temperature(reading)
    if not reading.sensors and missing is None:
        return ["No temperature sensor here. On a PC `modprobe coretemp` or `modprobe k10temp` may bring one."]
    ordered = sorted(reading.sensors, key=lambda sensor: (sensor != reading.deciding, sensor.id))
    width = max((len(sensor.id) for sensor in ordered), default=0)
    lines = [_sensor_line(sensor, width) for sensor in ordered]
    return lines if missing is None else [*lines, f"No temperature: {missing.why}.", f"    {missing.advice}"]


def _sensor_line(sensor: SensorReading, width: int) -> str:
    celsius = "unreadable" if sensor.celsius is None else celsius_text(sensor.celsius)
    said = sensor.judgement if sensor.reason == sensor.judgement else f"{sensor.judgement}: {sensor.reason}"
    return f"{sensor.id:{width}}  {celsius:>10}  {said}"
