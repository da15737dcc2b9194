"""Killed in the middle: a backup is whole or not there, and so is a restore."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.backups import Made
from tests.support.panel import BASE_DIR, Panel, until

# argv: the backup, and the number of the rename at which the process kills itself with SIGKILL.
RESTORE = """
import os, signal, sys
import django
django.setup()
from j5a_admin.backup import restore
steps = iter(range(100))
rename = restore.Path.rename
def counted(*words):
    if next(steps) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(*words)
restore.Path.rename = counted
restore.restore(restore.Path(sys.argv[1]), print)
"""
# Kills itself when the database of the backup is being brought up to date.
EARLY = """
import os, signal, sys
import django
django.setup()
from j5a_admin.backup import restore
restore._bring_up_to_date = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
restore.restore(restore.Path(sys.argv[1]), print)
"""


def run(panel: Panel, program: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**panel.env, "DJANGO_SETTINGS_MODULE": "j5a_admin.settings"}
    command = [sys.executable, "-c", program, *words]
    return subprocess.run(command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize(("program", "step"), [(EARLY, 0), (RESTORE, 1), (RESTORE, 2)])
def test_a_restore_that_was_cut_short_is_told_and_nothing_of_it_starts(
    made: Made, empty: Panel, program: str, step: int
) -> None:
    """While the database is brought up to date, before the recording and before the database are put in place."""
    killed = run(empty, program, str(made.backup), str(step))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    for words in (["prepare"], ["up"], ["gate", "check"], ["migrate"], ["shell", "-c", "0"], ["restore", made.backup]):
        done = empty.manage(*map(str, words))
        if words[0] != "shell":
            assert "was cut short" in done.stderr + done.stdout, words
            assert (done.returncode != 0, "Traceback" in done.stderr) == (True, False), (words, done.stderr)
        assert not (empty.data_dir / "j5a.sqlite3").exists()
    shutil.move(empty.data_dir, empty.root / "aside")
    assert empty.manage("restore", str(made.backup)).returncode == 0
    assert len(empty.rows("SELECT 1 FROM transcribe_job")) == 1


def test_a_killed_backup_leaves_no_backup_and_the_next_sweeps(copied: Panel, tmp_path: Path) -> None:
    (recording,) = (copied.data_dir / "uploads").glob("*.mp3")
    with recording.open("r+b") as file:
        file.truncate(150 * 1024**2)  # long enough to be in the middle of it
    target = tmp_path / "out"
    target.mkdir()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "backup", str(target)],
        cwd=BASE_DIR,
        env=copied.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:

        def is_in_the_middle() -> bool:
            assert process.poll() is None, "it ended before it could be killed"
            return any(path.stat().st_size > 5 * 1024**2 for path in target.glob(".*.tar"))

        until(is_in_the_middle, seconds=60, what="the backup has begun")
    finally:
        process.kill()
        process.wait()
    assert [path for path in target.iterdir() if not path.name.startswith(".")] == []
    assert list(target.iterdir()) != []
    recording.write_bytes(b"short")
    assert copied.manage("backup", str(target)).returncode == 0
    assert [path.name.startswith(".") for path in target.iterdir()] == [False]


def test_files_of_other_programs_are_not_swept(made: Made, tmp_path: Path) -> None:
    """A person may name any folder: their home, a stick."""
    foreign = [".video.partial.mp4", ".song.12.partial.tar.gz", "x.12.partial.tar", ".partial.tar"]
    for name in foreign:
        (tmp_path / name).write_bytes(b"theirs")
    os.mkfifo(tmp_path / ".j5a-backup.tar.12.partial.tar")  # opening it must not wait for a writer
    left = [".j5a-backup.tar.12.partial.sqlite3", ".my.tar.7.partial.sqlite3-journal", ".my.tar.7.partial.tar"]
    for name in left:
        (tmp_path / name).write_bytes(b"ours")
    assert made.panel.manage("backup", str(tmp_path / "out.tar"), timeout=240).returncode == 0
    here = {path.name for path in tmp_path.iterdir()}
    assert set(foreign) <= here
    assert here.isdisjoint(left)
