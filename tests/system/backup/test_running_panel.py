"""While a real panel works: a backup is consistent whatever arrives or goes meanwhile, and a restore is refused."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.support.panel import BASE_DIR, Panel
from tests.support.speech_files import SPEECH_DIR

CLIPS = [SPEECH_DIR / f"clip_0{number}.flac" for number in range(4)]


def test_a_backup_while_recordings_arrive_and_a_restore_elsewhere(
    make_panel: Callable[..., Panel], tmp_path: Path
) -> None:
    panel = make_panel(J5A_MARGIN_GIB="0.5")
    first = panel.submit(CLIPS[0], title="first")
    panel.wait_for_job(first, "succeeded")
    backups = []
    arriving = [
        subprocess.Popen(
            [sys.executable, str(BASE_DIR / "tests" / "support" / "submit.py"), str(clip)],
            cwd=BASE_DIR,
            env=panel.env,
            stdout=-3,
        )
        for clip in CLIPS[1:]
    ]
    try:
        while any(process.poll() is None for process in arriving) or len(backups) < 2:
            target = tmp_path / f"{len(backups)}.tar"
            done = panel.manage("backup", str(target))
            assert done.returncode == 0, done.stderr
            assert "Warning" not in done.stderr
            backups.append(target)
            assert len(backups) < 100
    finally:
        for process in arriving:
            process.kill()
            process.wait()
    for number, target in enumerate(backups):
        assert_is_consistent(target, tmp_path / f"{number}.sqlite3")

    refused = panel.manage("restore", str(backups[0]))
    assert refused.returncode == 1
    assert f"{panel.data_dir} is in use by PID" in refused.stderr

    other = Panel(tmp_path / "other", J5A_MARGIN_GIB="0.5")
    other.root.mkdir()
    restored = other.manage("restore", str(backups[-1]))
    assert restored.returncode == 0, restored.stderr
    assert other.text(first) == panel.text(first) != ""
    try:
        assert other.manage("prepare").returncode == 0
        other.up()
        for row in other.rows("SELECT id FROM transcribe_job"):
            other.wait_for_job(row["id"], "succeeded")
    finally:
        other.stop()


def assert_is_consistent(target: Path, database: Path) -> None:
    """Each job has its recording, and each recording its job."""
    with tarfile.open(target) as archive:
        names = {name.removeprefix("uploads/") for name in archive.getnames() if name.startswith("uploads/")}
        database.write_bytes(archive.extractfile("j5a.sqlite3").read())  # type: ignore[union-attr]
    with closing(sqlite3.connect(database)) as rows:
        assert {name for (name,) in rows.execute("SELECT audio FROM transcribe_job")} == names
        assert rows.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
