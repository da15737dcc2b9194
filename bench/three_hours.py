"""The same three-hour file through the running panel: what web, worker and engine grow by."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.preparation import LIMIT_MB, MB, status_bytes
from bench.recordings import long_recording
from bench.report import Row
from bench.upload import upload, wait_for_end
from tests.support.panel import Panel, until

READING = "Reading speech"  # the activity once the audio is prepared
SHORT_MINUTES = 4.0  # long enough that whisper's previous text has its full length
LIMIT_SECONDS = 3600.0
SETTLE_SECONDS = 5.0  # the queue's process ends with its last job, too, and another takes its place


@dataclass(frozen=True, kw_only=True)
class Growth:
    """The largest growth of one process of a group, above what it had before the upload."""

    name: str
    bytes: int


def measure(panel: Panel, source: Path, folder: Path) -> list[Growth]:
    """Upload, note web and worker when the first chunk is being read, and the engine when all are.

    The engine's growth is its peak on the three hours above its peak on `SHORT_MINUTES`.
    """
    short_peak = _engine_peak(panel, upload(panel, long_recording(folder, SHORT_MINUTES).path))
    until(lambda: not panel.engines(), seconds=30, what="its engine has ended; the next job gets a new one")
    time.sleep(SETTLE_SECONDS)
    words = {"web, upload and preparation": "gunicorn", "worker, upload and preparation": "worker"}
    groups = {name: _tree(panel.child(word)) for name, word in words.items()}
    before = {process.pid: _reset(process.pid) for processes in groups.values() for process in processes}
    job_id = upload(panel, source)
    until(lambda: panel.job(job_id)["activity"] == READING, seconds=300, what="the audio is prepared")
    found = [
        Growth(name=name, bytes=max(_high(process.pid) - before[process.pid] for process in processes))
        for name, processes in groups.items()
    ]
    above = f"the engine, above a job of {SHORT_MINUTES:g} minutes"
    return [*found, Growth(name=above, bytes=_engine_peak(panel, job_id) - short_peak)]


def rows(found: list[Growth]) -> list[Row]:
    return [
        Row(
            what=f"growth of {growth.name}",
            measured=f"{growth.bytes / MB:.1f} MB",
            goal=f"≤ {LIMIT_MB} MB",
            met=growth.bytes <= LIMIT_MB * MB,
        )
        for growth in found
    ]


def _engine_peak(panel: Panel, job_id: int) -> int:
    """The high-water mark of the engine that read the job, once it has ended."""
    wait_for_end(panel, job_id, seconds=LIMIT_SECONDS)
    (attempt,) = panel.rows("SELECT peak_bytes FROM transcribe_attempt WHERE job_id = ?", job_id)
    return int(attempt["peak_bytes"])


def _tree(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _reset(pid: int) -> int:
    """Set the high-water mark back to what is resident now (proc(5), clear_refs); returns it."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
    return _high(pid)


def _high(pid: int) -> int:
    return status_bytes(Path(f"/proc/{pid}/status"), "VmHWM:")
