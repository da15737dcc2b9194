"""Killed in the middle: a backup is whole or not there, and a restore never costs what was there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from j5a_admin.backup.swap import staging_begin, swap_decide, swap_finish, swap_is_decided
from tests.support.backups import Made, contents
from tests.support.panel import BASE_DIR, Panel, until

# argv: the backup, and the number of the step of the swap at which the process kills itself with SIGKILL.
RESTORE = """
import os, signal, sys
import django
django.setup()
from j5a_admin.backup import restore, swap
steps = iter(range(100))
def before_step(name):
    if next(steps) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
finish = swap.swap_finish
restore.swap_finish = lambda data_dir: finish(data_dir, before_step=before_step)
restore.restore(restore.Path(sys.argv[1]), replace=True, say=print)
"""
# Kills itself when the database of the backup is being brought up to date: before anything is decided.
EARLY = """
import os, signal, sys
import django
django.setup()
from j5a_admin.backup import restore
restore._bring_up_to_date = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
restore.restore(restore.Path(sys.argv[1]), replace=True, say=print)
"""


def run(panel: Panel, program: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**panel.env, "DJANGO_SETTINGS_MODULE": "j5a_admin.settings"}
    command = [sys.executable, "-c", program, *words]
    return subprocess.run(command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=300)


def mark(panel: Panel) -> None:
    (panel.data_dir / "uploads" / "old.mp3").write_bytes(b"old recording")


@pytest.mark.parametrize("step", [2, 4])  # the new database, the new recordings; each step: the last test
def test_a_restore_killed_between_its_renames_goes_on_at_the_next_start(made: Made, copied: Panel, step: int) -> None:
    mark(copied)
    before = contents(copied.data_dir)
    killed = run(copied, RESTORE, str(made.backup), str(step))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    here = contents(copied.data_dir)  # nothing is lost at this very moment
    assert all(data in here.values() for data in before.values())
    prepared = copied.manage("prepare")
    assert prepared.returncode == 0, prepared.stderr
    assert "A restore that was interrupted is complete now" in prepared.stdout
    assert not (copied.data_dir / "uploads" / "old.mp3").exists()
    assert len(list((copied.data_dir / "uploads").glob("*.mp3"))) == 1
    (aside,) = copied.data_dir.glob("before-restore-*")
    assert (aside / "uploads" / "old.mp3").read_bytes() == b"old recording"
    assert (aside / "j5a.sqlite3").read_bytes() == before["j5a.sqlite3"]
    assert len(copied.rows("SELECT 1 FROM transcribe_job")) == 1
    assert not (copied.data_dir / "restoring").exists()


def test_a_restore_killed_before_has_changed_nothing(made: Made, copied: Panel) -> None:
    mark(copied)
    before = contents(copied.data_dir)
    killed = run(copied, EARLY, str(made.backup))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (copied.data_dir / "restoring").is_dir()
    assert {n: d for n, d in contents(copied.data_dir).items() if not n.startswith("restoring/")} == before
    again = copied.manage("restore", "--replace", str(made.backup))
    assert again.returncode == 0, again.stderr
    assert not (copied.data_dir / "restoring").exists()


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


class Cut(Exception):
    pass


def test_interrupted_at_each_step_and_again_at_each_it_comes_to_the_same(tmp_path: Path) -> None:
    names = ("j5a.sqlite3-wal", "j5a.sqlite3-shm", "j5a.sqlite3", "first_password")
    for first in range(10):
        for second in (0, 2, 9):
            data = tmp_path / f"{first}-{second}"
            (data / "uploads").mkdir(parents=True)
            for name in (*names, "uploads/old.mp3"):
                (data / name).write_text(f"old {name}")
            staging = staging_begin(data)
            for name in ("j5a.sqlite3", "uploads/new.mp3"):
                (staging / name).write_text(f"new {name}")
            swap_decide(data)
            for stop_at in (first, second):
                steps = iter(range(100))

                def before_step(_: str, steps: Iterator[int] = steps, stop_at: int = stop_at) -> None:
                    if next(steps) == stop_at:
                        raise Cut

                with suppress(Cut):
                    if swap_is_decided(data):
                        swap_finish(data, before_step=before_step)
                (data / "uploads" / "incoming").mkdir(
                    parents=True, exist_ok=True
                )  # every command makes it at its start
            if swap_is_decided(data):
                swap_finish(data)
            found = {str(p.relative_to(data)): p.read_text() for p in data.rglob("*") if p.is_file()}
            (aside,) = data.glob("before-restore-*")
            assert found == {
                "j5a.sqlite3": "new j5a.sqlite3",
                "uploads/new.mp3": "new uploads/new.mp3",
                **{f"{aside.name}/{name}": f"old {name}" for name in (*names, "uploads/old.mp3")},
            }, (first, second)
