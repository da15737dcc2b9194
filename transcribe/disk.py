"""What a full disk, a database that cannot be used, or a machine that says no means for people: cause and next step."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError

from gate.core.units import MIB, bytes_text

__all__ = ["database_text", "database_trouble", "is_damaged", "machine_text", "recording_look"]

FULL_BYTES = MIB  # SQLite needs a few pages for its journal and its shared memory


def database_trouble(problem: DatabaseError) -> str:
    """`database_text` for a problem of this moment."""
    try:
        free_bytes = shutil.disk_usage(settings.DATA_DIR).free
    except OSError as error:  # its disk is not mounted
        return (
            f"The folder of the panel's data, {settings.DATA_DIR}, cannot be read ({error.strerror}). "
            "Mount its disk again, or look at its permissions."
        )
    return database_text(str(problem), free_bytes)


def is_damaged(error: str) -> bool:
    """SQLite's words for a file whose content is not what it wrote."""
    return "malformed" in error or "not a database" in error


def database_text(error: str, free_bytes: int) -> str:
    """Cause and next step. `error`: SQLite's own words."""
    if free_bytes < FULL_BYTES or "disk is full" in error:
        return f"The disk of the panel's data is full ({bytes_text(free_bytes)} free). Free some space."
    if "locked" in error:
        return "Another program keeps the database locked. Close that program, or wait."
    if is_damaged(error):
        return (
            f"The database is damaged (SQLite says: {error}). Stop the panel, move its data directory aside and "
            "restore the last backup (docs/backup.md)."
        )
    if "no such table" in error or "no such column" in error:
        return f"The database is of another version of the panel (SQLite says: {error}). Stop it, then run `make run`."
    return f"SQLite says: {error}. Look at the disk, and at the permissions of the panel's data directory."


def machine_text(problem: OSError) -> str:
    """What the kernel refused, at which file if it says so, and what may help."""
    said = f"{problem.strerror or problem}{f': {problem.filename}' if problem.filename else ''}"
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"A disk is full ({said}). Free some space."
    if problem.errno in (errno.ENOMEM, errno.EAGAIN):
        return f"No further process could be started ({said}). Close other programs."
    return f"A file could not be used ({said}). Look at the disk, and at the permissions of the panel's directories."


def recording_look(path: Path) -> None:
    """Raise OSError where it is the disk's fault that a recording cannot be read.

    Not where that one file is gone: the folder of uploads holds one for those that come in, as long as it is ours.
    """
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except FileNotFoundError:
        incoming = Path(settings.FILE_UPLOAD_TEMP_DIR)
        if not incoming.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(incoming)) from None
