"""Errors of backup and restore.

BackupError            it cannot be done; the message names the cause and the next step
├── ArchiveDamaged     the file is not a whole backup of this panel, or was changed
├── BackupFromNewer    made by a version of the panel that this one does not know
└── DataInTheWay       the data directory is not empty
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class BackupError(Exception):
    pass


class ArchiveDamaged(BackupError):
    pass


class BackupFromNewer(BackupError):
    pass


class DataInTheWay(BackupError):
    pass


@contextmanager
def disk_told(what: str, where: Path) -> Iterator[None]:
    """A full or failing disk as one sentence."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        advice = "Free some space there, or name another place." if full else "Check the path and its permissions."
        raise BackupError(f"{what}: {error.strerror or error} ({where}). Nothing was kept of it. {advice}") from error
