"""A disk that is full in the middle of the work: a real one, a small tmpfs under the panel's data."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.machines import may_skip
from tests.support.panel import BASE_DIR, Panel, until
from tests.support.speech_files import joined
from tests.system.gate.test_lock_processes import kill_quietly
from tools.demo_model.scoring import word_error_rate

DISK_MIB = 700  # an upload keeps 500 MB free


class Disk:
    """A mounted tmpfs that can be filled and emptied again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self, *, leave_bytes: int = 0) -> None:
        """Until not a byte more than `leave_bytes` is free; again and again, because others write, too."""
        with self._filler.open("ab", buffering=0) as filler:
            while (free := self.free_bytes() - leave_bytes) > 0:
                try:
                    filler.write(bytes(min(free, 1 << 20)))
                except OSError:
                    return

    def free_bytes(self) -> int:
        state = os.statvfs(self.path)
        return state.f_bavail * state.f_frsize

    def empty(self) -> None:
        self._filler.unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path: Path, needs_root: None) -> Iterator[Disk]:
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "j5a-test", str(path)]
    tried = subprocess.run(mount, capture_output=True, text=True)
    if tried.returncode != 0:
        may_skip(f"no tmpfs could be mounted: {tried.stderr.strip()}")
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


@contextmanager
def panel_on(disk: Disk) -> Iterator[Panel]:
    panel = Panel(disk.path)
    panel.lock_path = disk.path.parent / "locks" / "whisper_large.lock"  # the lock is on another disk, as /tmp is
    panel.env["J5A_LOCK_DIR"] = str(panel.lock_path.parent)
    panel.log_path = disk.path.parent / "panel.log"
    try:
        yield panel.start()
    finally:
        disk.empty()
        panel.stop()


def begin(panel: Panel, folder: Path) -> tuple[int, str]:
    recording = joined(folder / "long.wav", minutes=5)
    return panel.submit(recording.path, language="en"), recording.text


def assert_goes_on(panel: Panel, job_id: int, text: str) -> None:
    panel.wait_for_job(job_id, "succeeded", seconds=120)
    assert word_error_rate(text, panel.text(job_id)) <= 0.05
    rows = panel.rows('SELECT count(*) AS n, count(DISTINCT "index") AS different FROM transcribe_segment')
    assert rows[0]["n"] == rows[0]["different"]
    assert panel.answers()


def hold_lock(panel: Panel) -> subprocess.Popen[str]:
    """A script with the machine's lock, so that the job waits until the test lets it."""
    face = BASE_DIR / "ops" / "resource_safety_gate.sh"
    script = f"source {face}; acquire_whisper_lock demo || exit 1; echo held; read -r _"
    env = {**panel.env, "J5A_PYTHON": sys.executable}
    holder = subprocess.Popen(
        ["bash", "-c", script],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert holder.stdout is not None
    assert "acquired" in holder.stdout.readline()
    return holder


def test_while_it_reads_the_job_waits_and_nothing_is_lost(disk: Disk, tmp_path: Path) -> None:
    """Checkpoint and journal cannot be written, and the database itself may not even open."""
    with panel_on(disk) as panel:
        job_id, text = begin(panel, tmp_path)
        until(lambda: panel.job(job_id)["activity"] == "Reading speech", seconds=60, what="it reads")
        waits = f"job {job_id} waits: The disk of the panel's data is full"
        until(lambda: disk.fill() or waits in panel.log(), seconds=120, what="its checkpoint has met the full disk")
        assert panel.engines() == []
        disk.empty()
        assert_goes_on(panel, job_id, text)
        rows = panel.rows("SELECT outcome FROM transcribe_attempt ORDER BY number")
        assert [row["outcome"] for row in rows] == ["no_disk", "succeeded"]


def test_while_it_decodes_the_job_waits_for_space_and_says_so(disk: Disk, tmp_path: Path) -> None:
    with panel_on(disk) as panel:
        holder = hold_lock(panel)
        try:
            job_id, text = begin(panel, tmp_path)
            panel.wait_for_job(job_id, "blocked")
            disk.fill(leave_bytes=3 << 20)
            holder.communicate("\n", timeout=60)
        finally:
            kill_quietly(holder.pid)
        until(lambda: "disk" in panel.job(job_id)["reason"], seconds=60, what="it says that the disk is full")
        assert panel.job(job_id)["status"] == "blocked"
        disk.empty()
        assert_goes_on(panel, job_id, text)
