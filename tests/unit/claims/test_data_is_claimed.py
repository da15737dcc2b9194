"""Every program that opens the database claims the data directory; a restore and a migration need it alone."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.backups import Made
from tests.support.panel import Panel, until

CLIP = Path("transcribe/demo/sample.mp3")


@contextmanager
def claimed(panel: Panel, how: int) -> Iterator[None]:
    panel.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (panel.data_dir / "data.lock").open("w") as file:
        fcntl.flock(file, how)
        yield


@pytest.mark.parametrize("words", [["restore", "BACKUP"], ["migrate"]])
def test_it_refuses_where_others_use_the_data(made: Made, empty: Panel, words: list[str]) -> None:
    with claimed(empty, fcntl.LOCK_SH):
        done = empty.manage(*[str(made.backup) if word == "BACKUP" else word for word in words])
    assert (done.returncode != 0, "Traceback" in done.stderr) == (True, False), done.stderr
    assert f"{empty.data_dir} is in use by PID" in done.stderr


def test_it_prepares_what_is_up_to_date_beside_others(copied: Panel) -> None:
    with claimed(copied, fcntl.LOCK_SH):
        assert copied.manage("prepare").returncode == 0


def test_it_does_not_migrate_under_a_running_panel(copied: Panel) -> None:
    assert copied.manage("migrate", "gate", "0007").returncode == 0
    with claimed(copied, fcntl.LOCK_SH):
        done = copied.manage("prepare")
    assert (done.returncode, "Traceback" in done.stderr, "is in use by PID" in done.stderr) == (1, False, True)
    assert copied.manage("prepare").returncode == 0


@pytest.mark.parametrize("words", [["transcribe", str(CLIP), "--model", "demo"], ["tidy"], ["clearsessions"]])
def test_it_keeps_writers_out_while_the_data_is_claimed_alone(copied: Panel, words: list[str]) -> None:
    program = "from j5a_admin import claims; claims.WAIT_SECONDS = 0.2; import manage, sys; sys.argv[1:] = "
    with claimed(copied, fcntl.LOCK_EX):
        command = [sys.executable, "-c", f"{program}{words!r}; manage.main()"]
        done = subprocess.run(command, env=copied.env, capture_output=True, text=True, timeout=60)
    assert (done.returncode != 0, "Traceback" in done.stderr) == (True, False), done.stderr
    assert f"{copied.data_dir} is being restored or brought up to date" in done.stderr


def test_a_transcription_holds_its_claim_to_its_end(copied: Panel, tmp_path: Path) -> None:
    copied.env["J5A_MARGIN_GIB"] = "1000"  # the gate keeps it waiting
    command = [sys.executable, "manage.py", "transcribe", str(CLIP), "--model", "demo", "-o", str(tmp_path)]
    process = subprocess.Popen(command, env=copied.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: len(copied.rows("SELECT 1 FROM transcribe_job")) == 2, seconds=20, what="it has its job")
        done = copied.manage("migrate", "gate", "0007")
        assert f"is in use by PID {process.pid}" in done.stderr
    finally:
        process.kill()
        process.wait()
