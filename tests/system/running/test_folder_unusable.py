"""A data folder that stays full or read-only: an incident says what the job waits for; mended, the job goes on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.machines import may_skip
from tests.support.panel import Panel, until
from tests.support.speech_files import SPEECH_DIR
from tests.system.gate.test_lock_processes import kill_quietly
from tests.system.resilience.test_full_disk import Disk, hold_lock

pytestmark = pytest.mark.usefixtures("needs_root")

SAID = {
    ("work", "read-only"): "A file could not be used (Read-only file system: {folder}/job-",
    ("work", "full"): "the disk is full",
    ("uploads", "not mounted"): "A file could not be used (No such file or directory: {folder}/incoming)",
    ("logs", "read-only"): "A file could not be used (Read-only file system: {folder}/engine-",
}


@contextmanager
def disk_of_its_own(folder: Path, how: str) -> Iterator[None]:
    """Unusable on entry; usable from the end on."""
    tried = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "j5a-test", str(folder)], capture_output=True)
    if tried.returncode != 0:
        may_skip(f"no tmpfs could be mounted: {tried.stderr.decode().strip()}")
    disk = Disk(folder)
    if how == "full":
        disk.fill()
    elif how == "read-only":
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    try:
        yield
    finally:
        if how == "not mounted":
            subprocess.run(["umount", str(folder)], check=True)
        else:
            subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
            disk.empty()


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    made = Panel(tmp_path_factory.mktemp("panel"), J5A_LONG_BLOCK_SECONDS="3", J5A_DISK_RESERVE_MIB="0")
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.mark.parametrize(("name", "how"), SAID)
def test_an_incident_tells_of_it_with_its_cause(panel: Panel, name: str, how: str) -> None:
    panel.forget_incidents()
    folder = panel.data_dir / name
    try:
        holder = hold_lock(panel)
        try:
            job_id = panel.submit(SPEECH_DIR / "clip_00.flac", language="en")
            panel.wait_for_job(job_id, "blocked")
            with disk_of_its_own(folder, how):
                holder.communicate("\n", timeout=60)
                said = SAID[name, how].format(folder=folder)
                until(lambda: said in panel.job(job_id)["reason"], seconds=30, what="the job says it")
                waits = "SELECT * FROM gate_incident WHERE kind = 'job_waits'"
                (told,) = until(lambda: panel.rows(waits), seconds=60, what="an incident tells of it")
                assert (told["subject"], told["job_ref"]) == ("disk or database", f"job {job_id}")
                assert said in told["summary"]
                wrong = "SELECT * FROM gate_incident WHERE kind = 'gate_blocked' AND status != 'resolved'"
                until(lambda: not panel.rows(wrong), seconds=60, what="none says that it is the gate")
        finally:
            kill_quietly(holder.pid)
        panel.wait_for_job(job_id, "succeeded", seconds=60)
        over = "SELECT * FROM gate_incident WHERE kind = 'job_waits' AND status = 'resolved'"
        until(lambda: panel.rows(over), seconds=60, what="it is over")
    finally:
        subprocess.run(["umount", "-l", str(folder)], capture_output=True)


def test_a_recording_that_is_gone_by_itself_fails_its_job(panel: Panel) -> None:
    holder = hold_lock(panel)
    try:
        job_id = panel.submit(SPEECH_DIR / "clip_00.flac", language="en")
        panel.wait_for_job(job_id, "blocked")
        (panel.data_dir / "uploads" / panel.job(job_id)["audio"]).unlink()
        holder.communicate("\n", timeout=60)
    finally:
        kill_quietly(holder.pid)
    job = panel.wait_for_job(job_id, "failed", seconds=30)
    assert "the file is gone or may not be read" in job["reason"]
