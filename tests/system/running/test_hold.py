"""Hold, pause and cancel while a job runs: it is told to have stopped only when its processes are gone."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from tests.support.panel import Panel
from tests.support.speech_files import SPEECH_DIR, joined
from tests.support.windows import assert_windows_taken_over, until_it_decodes
from tools.demo_model.scoring import word_error_rate


def group_members(group: int) -> set[int]:
    """Read from /proc as anybody could: every process of the group that is not a zombie."""
    found = set()
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                fields = (process / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group and fields[0] not in "ZX":
                found.add(int(process.name))
    return found


class Observer(threading.Thread):
    """Watches from outside: who was left of the engine's group at the first moment the status says it has stopped."""

    def __init__(self, panel: Panel, job_id: int, status: str, group: int) -> None:
        super().__init__(daemon=True)
        self.left: set[int] | None = None
        self._panel, self._job_id, self._status, self._group = panel, job_id, status, group
        self._enough = threading.Event()

    def run(self) -> None:
        while not self._enough.is_set():
            try:
                status = self._panel.job(self._job_id)["status"]
            except sqlite3.OperationalError:
                continue
            if status == self._status:
                self.left = group_members(self._group)
                return

    def end(self) -> None:
        self._enough.set()
        self.join(10)


def reading(panel: Panel, job_id: int) -> int:
    """The group of the engine that reads the job, and has decoded a window of it."""
    until_it_decodes(panel, job_id)
    (engine,) = panel.engines()
    assert group_members(engine.pid)
    return engine.pid


def stopped(panel: Panel, job_id: int, group: int, status: str, act: Callable[[], object]) -> sqlite3.Row:
    observer = Observer(panel, job_id, status, group)
    observer.start()
    try:
        act()
        job = panel.wait_for_job(job_id, status, seconds=60)
        observer.join(20)
    finally:
        observer.end()
    assert observer.left == set(), f"told {status} while {observer.left} still ran"
    return job


def test_hold_pause_and_cancel_of_a_running_job(own_panel: Panel, tmp_path: Path) -> None:
    panel = own_panel
    panel.login()
    recording = joined(tmp_path / "long.wav", minutes=8)
    job_id = panel.submit(recording.path, language="en")
    group = reading(panel, job_id)
    page = panel.get(f"/jobs/{job_id}/")

    job = stopped(panel, job_id, group, "paused", lambda: panel.post_form(f"/jobs/{job_id}/hold/", {}, page=page))
    assert job["reason"] == "held by admin"
    other = panel.submit(SPEECH_DIR / "clip_00.flac")
    panel.wait_for_job(other, "succeeded")  # the queue goes on without it
    assert panel.job(job_id)["status"] == "paused"

    panel.post_form(f"/jobs/{job_id}/release/", {}, page=page)
    group, pause = reading(panel, job_id), {"when": "now", "why": "a concert"}
    job = stopped(panel, job_id, group, "queued", lambda: panel.post_form("/jobs/queue/pause/", pause, page=page))
    assert job["reason"] == "The queue is paused by admin (a concert). What it has read is kept."

    panel.post_form("/jobs/queue/resume/", {}, page=page)
    group, cancel = reading(panel, job_id), f"/jobs/{job_id}/cancel/"
    stopped(panel, job_id, group, "cancelled", lambda: panel.post_form(cancel, {}, page=page))

    panel.post_form(f"/jobs/{job_id}/retry/", {}, page=page)
    panel.wait_for_job(job_id, "succeeded", seconds=240)
    assert word_error_rate(recording.text, panel.text(job_id)) <= 0.05
    outcomes = panel.rows("SELECT outcome FROM transcribe_attempt WHERE job_id = ? ORDER BY number", job_id)
    assert [row["outcome"] for row in outcomes] == ["held", "queue_paused", "cancelled", "succeeded"]
    assert_windows_taken_over(panel, job_id)
