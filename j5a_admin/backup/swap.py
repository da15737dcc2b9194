"""The last step of a restore: what is there is set aside, what is new takes its place. Only renames.

They cannot all be one. So a mark is written first, when everything new is whole and on the disk: from then on the
restore is decided, and whoever comes next (`prepare`, `up`, another restore) goes on where it was interrupted. Without
the mark the old data is untouched and what lies in the folder is rubbish.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from j5a_admin.backup.errors import BackupError
from j5a_admin.backup.manifest import DATABASE_NAME

STAGING = "restoring"
MARK = "decided"  # holds the name of the folder for what was there
ASIDE = "before-restore"
UPLOADS_DIR = "uploads"
FIRST_LOGIN = "first_password"  # of the administrator in the database that goes
# The database and what SQLite keeps beside it: never the journal of one with the database of another.
OLD_DATABASE = (f"{DATABASE_NAME}-wal", f"{DATABASE_NAME}-shm", f"{DATABASE_NAME}-journal", DATABASE_NAME)


def staging_begin(data_dir: Path) -> Path:
    """An empty folder on the data's own disk; what an interrupted restore left there is removed."""
    staging = data_dir / STAGING
    if staging.is_symlink():
        raise BackupError(f"{staging} is a link. Remove it: a restore makes a folder there.")
    if staging.exists():
        shutil.rmtree(staging)
    staging.mkdir(mode=0o700)
    (staging / UPLOADS_DIR).mkdir(mode=0o700)
    return staging


def swap_decide(data_dir: Path) -> None:
    """Write the mark. Everything in the staging folder is on the disk by now."""
    staging = data_dir / STAGING
    sync_directory(staging / UPLOADS_DIR)
    sync_directory(staging)
    aside = f"{ASIDE}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    if (data_dir / aside).exists():
        aside += f"-{os.getpid()}"
    temporary = staging / f".{MARK}"
    with temporary.open("w", encoding="ascii") as file:
        file.write(aside)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(staging / MARK)
    sync_directory(staging)


def swap_is_decided(data_dir: Path) -> bool:
    return (data_dir / STAGING / MARK).is_file()


def swap_finish(data_dir: Path, *, before_step: Callable[[str], None] = lambda _: None) -> Path:
    """Do all renames that are not done yet; returns the folder with what was there. May be called again."""
    staging = data_dir / STAGING
    aside = data_dir / (staging / MARK).read_text(encoding="ascii")
    aside.mkdir(mode=0o700, exist_ok=True)
    if (staging / DATABASE_NAME).exists():
        for name in (FIRST_LOGIN, *OLD_DATABASE):
            _move(data_dir / name, aside / name, before_step)
        _move(staging / DATABASE_NAME, data_dir / DATABASE_NAME, before_step)
    if (staging / UPLOADS_DIR).exists():
        _skeleton_remove(data_dir / UPLOADS_DIR, aside / UPLOADS_DIR)
        _move(data_dir / UPLOADS_DIR, aside / UPLOADS_DIR, before_step)
        _move(staging / UPLOADS_DIR, data_dir / UPLOADS_DIR, before_step)
    before_step("clean up")
    (staging / MARK).unlink()
    shutil.rmtree(staging)
    sync_directory(data_dir)
    return aside


def _move(source: Path, target: Path, before_step: Callable[[str], None]) -> None:
    """Rename, and let it reach the disk before the next: their order is what makes it safe."""
    if not source.exists():
        return
    before_step(f"{source.name} to {target.parent.name}")
    source.rename(target)
    sync_directory(source.parent)
    sync_directory(target.parent)


def _skeleton_remove(uploads: Path, aside: Path) -> None:
    """Interrupted between two renames, the next start of any command has made an empty uploads folder anew."""
    if aside.exists() and uploads.is_dir():
        for folder in (uploads / "incoming", uploads):
            if folder.is_dir():
                folder.rmdir()


def sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
