"""A machine whose readings a test sets, faked at the lowest place: psutil's answers and the process table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from psutil._ntuples import shwtemp, svmem
from pytest_django import Settings

from gate.core import sensors
from gate.core.processes import ProcessRow
from gate.core.proctable import ArgvCache
from gate.core.sensors import SensorMemory
from gate.core.units import GIB
from gate.services import verdicts


class FakeMachine:
    """24 GiB, 20 of them available, 45 °C, nothing runs; assign to change."""

    def __init__(self) -> None:
        self.available_bytes = 20 * GIB
        self.celsius: float | None = 45.0
        self.commands: list[tuple[str, ...]] = [("init",)]

    def virtual_memory(self) -> svmem:
        total = 24 * GIB
        return svmem(total, self.available_bytes, 10.0, total - self.available_bytes, 0, 0, 0, 0, 0, 0, 0)

    def sensors_temperatures(self) -> dict[str, list[shwtemp]]:
        if self.celsius is None:
            return {}
        return {"coretemp": [shwtemp("Package id 0", self.celsius, 87.0, 105.0)]}

    def process_table(self, _: ArgvCache) -> tuple[ProcessRow, ...]:
        return tuple(
            ProcessRow(pid=900_000 + at, ppid=1, name="x", rss_bytes=GIB, age_seconds=60.0, argv=argv)
            for at, argv in enumerate(self.commands)
        )


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> FakeMachine:
    fake = FakeMachine()
    monkeypatch.setattr(psutil, "virtual_memory", fake.virtual_memory)
    monkeypatch.setattr(psutil, "sensors_temperatures", fake.sensors_temperatures)
    # The sensor files of the machine that runs the tests must not answer in place of the fake one's.
    monkeypatch.setattr(sensors, "hwmon_inputs", dict)
    monkeypatch.setattr(sensors, "read_zones", list)
    monkeypatch.setattr(sensors, "read_process_table", fake.process_table)
    monkeypatch.setattr(sensors, "read_group_memory", lambda: None)
    monkeypatch.setattr(verdicts, "_memory", SensorMemory())
    settings.GATE_LOCK_PATH = tmp_path / "locks" / "whisper_large.lock"
    settings.HOST_ID = "mini"
    return fake


@pytest.fixture
def restart(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Forget what this process knew, as after a restart."""
    return lambda: monkeypatch.setattr(verdicts, "_memory", SensorMemory())
