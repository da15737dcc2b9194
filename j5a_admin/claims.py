"""Kernel locks on the data directory: one panel for each, and who uses its data.

Every program that opens the database holds `data.lock` shared for its life (`j5a_admin.sqlite`), and what it forked
holds it with it. A restore and a migration need it alone. The kernel lets a claim go when its last process ends.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from django.db import OperationalError

PANEL_LOCK = "panel.lock"  # held by `manage.py up`
DATA_LOCK = "data.lock"
DATABASE_NAME = "j5a.sqlite3"
STAGING = "restoring"  # what a restore has not put in place yet
WAIT_SECONDS = 30.0  # a migration takes seconds; as long as a locked database is waited for
ASK_EVERY_SECONDS = 0.1


class DataUnusable(OperationalError):
    """The data directory cannot be used now; the message names it, the cause and the next step."""


def panel_claim(data_dir: Path) -> BinaryIO:
    """The claim of the one panel on a data directory.

    Raises:
        BlockingIOError: another process has it.
    """
    descriptor = os.open(data_dir / PANEL_LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    file = os.fdopen(descriptor, "r+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        file.close()
        raise
    return file


class _Claim:
    """This process's own: on which directory, and whether alone."""

    def __init__(self) -> None:
        self.guard = threading.RLock()
        self.descriptors: dict[Path, int] = {}
        self.alone: Path | None = None


_claim = _Claim()


def data_use(data_dir: Path) -> None:
    """Claim the data with others, for the life of this process; waits for a migration.

    Raises:
        DataUnusable: it is being restored, a restore of it was cut short, or it cannot be claimed.
    """
    with _claim.guard:
        if data_dir in _claim.descriptors:
            return
        descriptor = _opened(data_dir)
        try:
            _wait_for(descriptor, data_dir)
            require_whole(data_dir)
        except BaseException:
            os.close(descriptor)
            raise
        _claim.descriptors[data_dir] = descriptor


def require_whole(data_dir: Path) -> None:
    """Raises DataUnusable where a restore was cut short: its database is what it puts in place last."""
    if (data_dir / STAGING).is_dir() and not (data_dir / DATABASE_NAME).exists():
        raise DataUnusable(
            f"A restore into {data_dir} was cut short, so what lies there is not whole and is not used. "
            "Move that directory aside, or empty it, and restore again."
        )


@contextmanager
def data_alone(data_dir: Path) -> Iterator[None]:
    """Claim the data alone for the time within, then with others again. Within another such block: nothing to do.

    Raises:
        DataUnusable: other programs use it, and which.
    """
    with _claim.guard:
        if _claim.alone == data_dir:
            yield
            return
        if data_dir not in _claim.descriptors:
            _claim.descriptors[data_dir] = _opened(data_dir)
        descriptor = _claim.descriptors[data_dir]
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _let_go(data_dir)
            raise DataUnusable(_in_use(data_dir)) from None
        _claim.alone = data_dir
        try:
            yield
        finally:
            _claim.alone = None
            fcntl.flock(descriptor, fcntl.LOCK_SH)  # from alone to shared nobody is waited for


def _let_go(data_dir: Path) -> None:
    """A lock that could not be raised is lost, says flock(2); the next use of the data claims it again."""
    os.close(_claim.descriptors.pop(data_dir))


def _opened(data_dir: Path) -> int:
    try:
        return os.open(data_dir / DATA_LOCK, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise DataUnusable(
            f"The data directory {data_dir} cannot be claimed: {error.strerror} ({DATA_LOCK}). "
            "Check that it exists and belongs to the panel's user."
        ) from error


def _wait_for(descriptor: int, data_dir: Path) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise DataUnusable(
                    f"{data_dir} is being restored or brought up to date by another program. "
                    "Try again when it has ended."
                ) from None
        time.sleep(ASK_EVERY_SECONDS)


def _in_use(data_dir: Path) -> str:
    users = ", ".join(map(str, _open_in(data_dir / DATA_LOCK)))
    who = f"PID {users}" if users else "another user's program"
    return (
        f"{data_dir} is in use by {who}, and this needs it alone. Stop the panel (Ctrl-C in its window) and what else "
        "uses its data, then try again."
    )


def _open_in(path: Path) -> list[int]:
    """Other processes that have the file open, as far as we may see."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int(process.name) != os.getpid() and any(_is_same(fd, path) for fd in (process / "fd").iterdir()):
                found.append(int(process.name))
    return sorted(found)


def _is_same(descriptor: Path, path: Path) -> bool:
    try:
        return descriptor.samefile(path)
    except OSError:
        return False
