"""A panel on a machine whose temperature a test sets: a look-alike /sys/class in a mount namespace, the real rest."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.machines import in_place_of
from tests.support.panel import Panel


class Thermometer:
    """One processor sensor, written as a whole so that no reader meets an empty file."""

    def __init__(self, root: Path, celsius: float) -> None:
        self.folder = root / "sys-class"
        chip = self.folder / "hwmon" / "hwmon0"
        chip.mkdir(parents=True)
        (self.folder / "thermal").mkdir()
        (chip / "name").write_text("coretemp\n")
        (chip / "temp1_label").write_text("Package id 0\n")
        self._input = chip / "temp1_input"
        self.set(celsius)

    def set(self, celsius: float) -> None:
        fresh = self.folder / "fresh"
        fresh.write_text(f"{round(celsius * 1000)}\n")
        fresh.replace(self._input)

    def vanish(self) -> None:
        """As a sensor does whose kernel module is removed; `set` brings it back."""
        self._input.unlink()

    def fall_silent(self, pipe: Path) -> None:
        """From now on who reads the sensor waits until somebody writes into this pipe."""
        fresh = self.folder / "fresh"
        os.link(pipe, fresh)
        fresh.replace(self._input)


def hot_panel(root: Path, celsius: float, **environment: str) -> tuple[Panel, Thermometer]:
    """Not started yet; stop it in a finally."""
    thermometer = Thermometer(root, celsius)
    return Panel(root, under=in_place_of({"/sys/class": thermometer.folder}), **environment), thermometer


def state_of(pid: int) -> str:
    """The letter of /proc/PID/stat, with T for stopped; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return ""


@pytest.fixture(scope="module")
def hot_panel_of_file(
    namespaces: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Panel, Thermometer]]:
    panel, thermometer = hot_panel(tmp_path_factory.mktemp("hot"), 60.0, J5A_ENGINE_THREADS="1")
    try:
        yield panel.start(), thermometer
    finally:
        panel.stop()


@pytest.fixture
def hot(hot_panel_of_file: tuple[Panel, Thermometer]) -> tuple[Panel, Thermometer]:
    """At 60 °C without an incident, with one thread, so that a window takes a while; tests leave its queue empty."""
    panel, thermometer = hot_panel_of_file
    thermometer.set(60.0)
    panel.forget_incidents()
    return panel, thermometer
