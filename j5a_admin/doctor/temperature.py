"""The temperature sensors: which one decides, and which are lost or stand still."""

from __future__ import annotations

from gate.core.checks import unread_temperature
from gate.core.readings import Judgement, TemperatureReading
from gate.core.units import celsius_text
from j5a_admin.doctor.findings import Finding, failed, passed, warned

__all__ = ["judge_flatlined", "judge_sensors", "temperature_findings"]


def temperature_findings(reading: TemperatureReading) -> tuple[Finding, ...]:
    flatlined = judge_flatlined(reading)
    return (judge_sensors(reading),) if flatlined is None else (judge_sensors(reading), flatlined)


def judge_sensors(reading: TemperatureReading) -> Finding:
    subject = "temperature"
    deciding = reading.deciding
    if deciding is not None and deciding.celsius is not None:
        others = len(reading.sensors) - 1
        beside = f", out of {len(reading.sensors)} sensors" if others > 0 else ""
        return passed(subject, f"{deciding.id} decides ({deciding.reason}){beside}: {celsius_text(deciding.celsius)}.")
    missing = unread_temperature(reading)
    if missing is None:
        none = "no temperature sensor" if not reading.sensors else "no usable temperature sensor"
        return warned(
            subject,
            f"There is {none} here: Whisper runs without a heat check.",
            "On a machine of your own try `modprobe coretemp` and `sensors`; a virtual machine has none.",
        )
    return failed(subject, f"No job can start: {missing.why}.", missing.advice)


def judge_flatlined(reading: TemperatureReading) -> Finding | None:
    """None when every sensor moves."""
    still = [sensor.id for sensor in reading.sensors if sensor.judgement is Judgement.FLATLINED]
    if not still:
        return None
    return warned(
        "sensors that stand still",
        f"{', '.join(still)}: no change for ten minutes while the load moved, so it never decides.",
        "Nothing breaks. If it is wrong for good, name it in J5A_IGNORED_SENSORS.",
    )
