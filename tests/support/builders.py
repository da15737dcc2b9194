"""Readings with sound defaults, so that a test names only what it is about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gate.core.readings import (
    ActivityReading,
    Judgement,
    LockReading,
    LockState,
    MemoryReading,
    ProcessReading,
    SensorReading,
    Snapshot,
    TemperatureReading,
)
from gate.core.requirement import Requirement
from gate.core.units import GIB

LARGE = Requirement("large-v3", 10 * GIB, "test")


def memory(available_bytes: int | None = 20 * GIB, total_bytes: int | None = 24 * GIB, **more: Any) -> MemoryReading:
    return MemoryReading(available_bytes=available_bytes, total_bytes=total_bytes, **more)


def temperature(celsius: float | None, *, ever_seen: bool = True, problem: str | None = None) -> TemperatureReading:
    if celsius is None:
        return TemperatureReading(deciding=None, ever_seen=ever_seen, problem=problem)
    sensor = SensorReading(
        id="coretemp/Package id 0", celsius=celsius, judgement=Judgement.DECIDES, reason="coretemp package"
    )
    return TemperatureReading(deciding=sensor, sensors=(sensor,), ever_seen=True)


def lock(state: LockState = LockState.FREE, **more: Any) -> LockReading:
    return LockReading(path=Path("/tmp/whisper_large.lock"), state=state, sentence=state.value, **more)


def snapshot(**more: Any) -> Snapshot:
    values: dict[str, Any] = {
        "taken_at": 1_000.0,
        "memory": memory(),
        "temperature": temperature(45.0),
        "processes": ProcessReading(),
        "activity": ActivityReading(),
        "lock": lock(),
    }
    return Snapshot(**(values | more))
