"""The heat latch of a machine, beside its lock: seen by every panel and script, whatever its data directory.

The file being there is the latch. So nothing has to be read or parsed to keep the gate shut: garbage, an empty file of
a full disk, another user's file or a link count as tripped, and below the reset mark the file is removed, whatever it
holds. One of an earlier boot counts, too: the machine may have been switched off because it was hot.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path

from gate.core.errors import LockError
from gate.core.lockstore import SAFE_FLAGS, LockStore, replace_file

__all__ = ["HEAT_NAME", "HeatFile"]

HEAT_NAME = "heat.json"


class HeatFile:
    """In the lock's directory, under the same conditions. Never raises: what cannot be seen counts as tripped."""

    def __init__(self, lock_path: Path) -> None:
        self.path = lock_path.with_name(HEAT_NAME)
        self._store = LockStore(lock_path)

    def is_tripped(self) -> bool:
        try:
            with self._store.directory() as directory:
                return _is_there(directory)
        except FileNotFoundError:
            return False
        except (LockError, OSError):
            return True

    def trip(self) -> bool:
        """False when it could not be kept."""
        try:
            with self._store.directory(create=True) as directory:
                _write(directory)
        except (LockError, OSError):
            return False
        return True

    def reset(self) -> bool:
        """False when it is still there: another user's, or on a disk that cannot be written."""
        try:
            with self._store.directory() as directory, suppress(FileNotFoundError):
                os.unlink(HEAT_NAME, dir_fd=directory)
        except FileNotFoundError:
            return True
        except (LockError, OSError):
            return False
        return True


def _is_there(directory: int) -> bool:
    try:
        os.stat(HEAT_NAME, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _write(directory: int) -> None:
    """The content is for people. On a full disk an empty file has to do."""
    data = json.dumps({"too_hot_since_unix": time.time(), "seen_by_pid": os.getpid()}) + "\n"
    try:
        replace_file(directory, HEAT_NAME, data.encode())
    except OSError:
        os.close(os.open(HEAT_NAME, os.O_WRONLY | os.O_CREAT | SAFE_FLAGS, 0o644, dir_fd=directory))
