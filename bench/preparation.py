"""A three-hour file: how much memory its preparation takes, in the process that decodes and in the one that waits."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.recordings import mp3_of_hours
from bench.report import Row, Section
from transcribe.audio.prepare import Preparation

MB = 1_000_000
LIMIT_MB = 200
HOURS = 3.0
LOOK_EVERY_SECONDS = 0.01


@dataclass(frozen=True, kw_only=True)
class Measured:
    file_bytes: int
    audio_seconds: float
    work_seconds: float
    chunks: int
    start_bytes: int
    peak_bytes: int
    caller_growth_bytes: int


class Peak:
    """Follows VmHWM (the kernel's own high-water mark) of a process until it is gone."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self.first_bytes = 0
        self.last_bytes = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._done.is_set():
            with contextlib.suppress(OSError):
                high = status_bytes(self._status, "VmHWM:")
                self.first_bytes = self.first_bytes or high
                self.last_bytes = high or self.last_bytes
            time.sleep(LOOK_EVERY_SECONDS)


def status_bytes(status: Path, key: str) -> int:
    """0 when the process is gone or ending."""
    for line in status.read_text(encoding="ascii").splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    return 0


def three_hours(folder: Path) -> Path:
    source = folder / "three-hours.mp3"
    mp3_of_hours(source, HOURS)
    return source


def measure(source: Path, folder: Path) -> Measured:
    own = Path("/proc/self/status")
    before_bytes = status_bytes(own, "VmRSS:")
    begun = time.monotonic()
    with Preparation(source, folder / "three-hours.pcm", display_name=source.name) as preparation:
        peak = Peak(preparation.pid)
        prepared = preparation.wait()
        peak.stop()
    measured = Measured(
        file_bytes=source.stat().st_size,
        audio_seconds=prepared.duration_seconds,
        work_seconds=time.monotonic() - begun,
        chunks=len(prepared.spans),
        start_bytes=peak.first_bytes,
        peak_bytes=peak.last_bytes,
        caller_growth_bytes=status_bytes(own, "VmRSS:") - before_bytes,
    )
    prepared.pcm_path.unlink()
    return measured


def section(measured: Measured, in_panel: Sequence[Row]) -> Section:
    growth = (measured.peak_bytes - measured.start_bytes) / MB
    return Section(
        title="Preparing a three-hour file",
        how=(
            f"An mp3 of {measured.audio_seconds / 3600:.2f} hours ({measured.file_bytes / MB:.0f} MB, 44.1 kHz stereo, "
            "128 kbit/s) is decoded to 16 kHz mono on disk and its chunks are planned, as a job does it. Peak: the "
            "kernel’s high-water mark of the child process that does this; start: the same mark when the process "
            "has just begun. Then the same file is uploaded to the running panel, and web and worker are watched until "
            "the first chunk is being read: the largest growth of one process counts. The job then runs to its end: "
            "its engine’s high-water mark is compared with that of a job on four minutes, in the same panel."
        ),
        rows=[
            Row(
                what="peak less start, process that prepares",
                measured=f"{growth:.1f} MB (peak {measured.peak_bytes / MB:.1f} MB)",
                goal=f"≤ {LIMIT_MB} MB",
                met=growth <= LIMIT_MB,
            ),
            Row(what="growth of a process that waits for it", measured=f"{measured.caller_growth_bytes / MB:.1f} MB"),
            Row(what="time", measured=f"{measured.work_seconds:.1f} s, {measured.chunks} chunks planned"),
            *in_panel,
        ],
    )
