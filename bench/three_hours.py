"""The same three-hour file through the running panel: what the web process and the worker grow by."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.preparation import LIMIT_MB, MB, status_bytes
from bench.report import Row
from bench.upload import upload
from tests.panel import Panel, until

READING = "Reading speech"  # the activity once the audio is prepared


@dataclass(frozen=True, kw_only=True)
class Growth:
    """The largest growth of one process of a group, above what it had before the upload."""

    name: str
    bytes: int


def measure(panel: Panel, source: Path) -> list[Growth]:
    """Upload, wait until the first chunk is being read, cancel."""
    groups = {name: _tree(panel.child(word)) for name, word in {"web": "gunicorn", "worker": "worker"}.items()}
    before = {process.pid: _reset(process.pid) for processes in groups.values() for process in processes}
    job_id = upload(panel, source)
    until(lambda: panel.job(job_id)["activity"] == READING, seconds=300, what="the audio is prepared")
    found = [
        Growth(name=name, bytes=max(_high(process.pid) - before[process.pid] for process in processes))
        for name, processes in groups.items()
    ]
    page = panel.get(f"/jobs/{job_id}/")
    panel.post_form(f"/jobs/{job_id}/cancel/", {}, page=page)
    panel.wait_for_job(job_id, "cancelled", seconds=30)
    return found


def rows(found: list[Growth]) -> list[Row]:
    return [
        Row(
            what=f"growth of {growth.name}, upload and preparation",
            measured=f"{growth.bytes / MB:.1f} MB",
            goal=f"≤ {LIMIT_MB} MB",
            met=growth.bytes <= LIMIT_MB * MB,
        )
        for growth in found
    ]


def _tree(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _reset(pid: int) -> int:
    """Set the high-water mark back to what is resident now (proc(5), clear_refs); returns it."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
    return _high(pid)


def _high(pid: int) -> int:
    return status_bytes(Path(f"/proc/{pid}/status"), "VmHWM:")
