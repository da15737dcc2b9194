"""A panel on a machine whose memory a test sets: look-alikes of /proc/meminfo and of the kernel's memory pressure."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.machines import in_place_of
from tests.support.panel import Panel

PRESSURE = Path("/proc/pressure/memory")
GIB = 1024**3
_TOTAL_KB = 16 * GIB // 1024
_KB_DIGITS, _PERCENT_DIGITS = 9, 6


class MemoryGauge:
    """Two files of fixed layout, each figure written with one write in its place, so that no reader meets a half."""

    def __init__(self, root: Path) -> None:
        self.meminfo, self.pressure = root / "meminfo", root / "pressure"
        head = f"MemTotal: {_TOTAL_KB} kB\nMemFree: 1048576 kB\nMemAvailable: "
        tail = " kB\nBuffers: 0 kB\nCached: 0 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\nActive: 0 kB\nInactive: 0 kB\n"
        self._available_at = len(head)
        self.meminfo.write_text(head + "0" * _KB_DIGITS + tail)
        head = "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10="
        self._full_at = len(head)
        self.pressure.write_text(head + "0" * _PERCENT_DIGITS + " avg60=0.00 avg300=0.00 total=0\n")
        self.set_available(14.5)
        self.set_pressure(0.0)

    def set_available(self, gib: float) -> None:
        _write_at(self.meminfo, self._available_at, f"{round(gib * GIB / 1024):0{_KB_DIGITS}d}")

    def set_pressure(self, full_percent: float) -> None:
        _write_at(self.pressure, self._full_at, f"{full_percent:0{_PERCENT_DIGITS}.2f}")


def tight_panel(root: Path, **environment: str) -> tuple[Panel, MemoryGauge]:
    """Not started yet; stop it in a finally."""
    gauge = MemoryGauge(root)
    under = in_place_of({"/proc/meminfo": gauge.meminfo, str(PRESSURE): gauge.pressure})
    return Panel(root, under=under, **environment), gauge


def _write_at(path: Path, place: int, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.pwrite(descriptor, text.encode(), place)
    finally:
        os.close(descriptor)
