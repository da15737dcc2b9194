"""Which temperature to believe. Pure: judges what was read, reads nothing.

Never the maximum over all sensors: the 2012 Mac Mini shows a constant 103 °C as "TCPG" while its cores
sit at 45 °C (public reports, macmade/Hot issue 101).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from gate.core.policy import GatePolicy
from gate.core.readings import Judgement, SensorReading, TemperatureReading
from gate.core.units import celsius_text

__all__ = ["HistoryPoint", "RawSensor", "SensorClass", "is_flatlined", "judge_sensors", "sensor_class"]


@dataclass(frozen=True, kw_only=True)
class RawSensor:
    """One sensor as the system names it. `path` is its file, where it can be read alone."""

    chip: str
    label: str
    celsius: float | None
    path: str | None = None

    @property
    def id(self) -> str:
        return f"{self.chip}/{self.label}" if self.label else self.chip


class SensorClass(IntEnum):
    """The protocol's order of preference."""

    CORETEMP_PACKAGE = 0
    AMD_DIE = 1
    CORETEMP_CORE = 2
    CPU_ZONE = 3
    SMC_PROXIMITY = 4


_CLASS_TEXT = {
    SensorClass.CORETEMP_PACKAGE: "coretemp package",
    SensorClass.AMD_DIE: "AMD die",
    SensorClass.CORETEMP_CORE: "coretemp core",
    SensorClass.CPU_ZONE: "processor thermal zone",
    SensorClass.SMC_PROXIMITY: "Apple processor proximity",
}
# Protocol: reject at or below 0, and at or above 125 °C.
_LOWEST_CELSIUS, _HIGHEST_CELSIUS = 0.0, 125.0


@dataclass(frozen=True)
class HistoryPoint:
    at_seconds: float  # monotonic
    celsius: float
    load1: float


# Flatlined: not one tenth of a degree in ten minutes, while the load average moved by a whole processor.
# A package with 1 °C steps moves within seconds of such a change (seen on every coretemp machine).
_FLAT_SECONDS = 600.0
_FLAT_LOAD_RANGE = 1.0
_FLAT_POINTS = 8


def is_flatlined(points: Sequence[HistoryPoint]) -> bool:
    """True when the sensor stood still for ten minutes although the load did not."""
    if len(points) < _FLAT_POINTS or points[-1].at_seconds - points[0].at_seconds < _FLAT_SECONDS:
        return False
    loads = [point.load1 for point in points]
    return len({point.celsius for point in points}) == 1 and max(loads) - min(loads) >= _FLAT_LOAD_RANGE


def sensor_class(chip: str, label: str) -> SensorClass | None:
    """None for a sensor that does not measure the processor."""
    chip, label = chip.lower(), label.lower()
    if chip == "coretemp":
        return SensorClass.CORETEMP_PACKAGE if _is_package(label) else SensorClass.CORETEMP_CORE
    if chip in ("k10temp", "zenpower", "k8temp"):
        return SensorClass.AMD_DIE if label in ("tdie", "tctl", "") else None
    if chip == "applesmc":
        return SensorClass.SMC_PROXIMITY if label == "tc0p" else None
    zone = label if chip == "thermal" else chip
    return SensorClass.CPU_ZONE if zone.startswith(("x86_pkg_temp", "cpu", "soc")) else None


def judge_sensors(
    raw: Sequence[RawSensor], policy: GatePolicy, *, flatlined: frozenset[str], ever_seen: bool
) -> TemperatureReading:
    """Judge every sensor and let the best decide; within one class the hottest (two sockets, all cores)."""
    judged = [_judged(sensor, policy, flatlined) for sensor in raw]
    deciding = _pinned(judged, policy) if policy.pinned_sensor else _preferred(raw, judged)
    if deciding is not None:
        reason = f"{deciding.reason}, decides"
        chosen = replace(deciding, judgement=Judgement.DECIDES, reason=reason)
        judged[judged.index(deciding)] = chosen
        deciding = chosen
    return TemperatureReading(
        deciding=deciding,
        sensors=tuple(judged),
        ever_seen=ever_seen or deciding is not None,
        problem=_pin_problem(judged, policy) if deciding is None else None,
    )


def _is_package(label: str) -> bool:
    # Kernels before 3.x say "Physical id".
    return label.startswith(("package id", "physical id"))


def _judged(sensor: RawSensor, policy: GatePolicy, flatlined: frozenset[str]) -> SensorReading:
    judgement, reason = _judgement(sensor, policy, flatlined)
    return SensorReading(id=sensor.id, celsius=sensor.celsius, judgement=judgement, reason=reason)


def _judgement(sensor: RawSensor, policy: GatePolicy, flatlined: frozenset[str]) -> tuple[Judgement, str]:
    kind = sensor_class(sensor.chip, sensor.label)
    celsius = sensor.celsius
    if sensor.id in policy.ignored_sensors:
        return Judgement.IGNORED, "ignored by the operator"
    if celsius is None or not math.isfinite(celsius) or not _LOWEST_CELSIUS < celsius < _HIGHEST_CELSIUS:
        shown = "no value" if celsius is None else celsius_text(celsius)
        return Judgement.IMPOSSIBLE, f"{shown} is not a temperature of a running machine"
    if sensor.id in flatlined:
        return Judgement.FLATLINED, "stood still for 10 minutes while the load moved"
    if kind is None and sensor.id != policy.pinned_sensor:
        return Judgement.NOT_CPU, "not a processor sensor"
    return Judgement.USABLE, "pinned by the operator" if kind is None else _CLASS_TEXT[kind]


def _preferred(raw: Sequence[RawSensor], judged: Sequence[SensorReading]) -> SensorReading | None:
    usable = [
        (kind, -(reading.celsius or 0.0), at)
        for at, (sensor, reading) in enumerate(zip(raw, judged, strict=True))
        if reading.judgement is Judgement.USABLE and (kind := sensor_class(sensor.chip, sensor.label)) is not None
    ]
    return judged[min(usable)[2]] if usable else None


def _pinned(judged: Sequence[SensorReading], policy: GatePolicy) -> SensorReading | None:
    for reading in judged:
        if reading.id == policy.pinned_sensor and reading.judgement is Judgement.USABLE:
            return reading
    return None


def _pin_problem(judged: Sequence[SensorReading], policy: GatePolicy) -> str | None:
    if policy.pinned_sensor is None:
        return None
    for reading in judged:
        if reading.id == policy.pinned_sensor:
            return f"the pinned sensor {reading.id}: {reading.reason}"
    return f"the pinned sensor {policy.pinned_sensor} is not there"
