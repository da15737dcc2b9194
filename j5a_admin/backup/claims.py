"""Proof that nobody uses the data directory: the panel's kernel lock, the worker's, and who has the database open."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from j5a_admin.backup.errors import PanelRuns

PANEL_LOCK = "panel.lock"  # held by `manage.py up`
WORKER_LOCK = "worker.lock"  # held by the cluster and everything it forked


def panel_claim(data_dir: Path, name: str = PANEL_LOCK) -> BinaryIO:
    """The claim on a data directory; the kernel lets it go when the file is closed or the process ends.

    Raises:
        BlockingIOError: another process has it.
    """
    descriptor = os.open(data_dir / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    file = os.fdopen(descriptor, "r+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        file.close()
        raise
    return file


@contextmanager
def nobody_uses(data_dir: Path, database: Path) -> Iterator[None]:
    """Hold both locks for the time within, so that no panel and no worker starts meanwhile.

    Raises:
        PanelRuns: somebody uses the directory, and who.
    """
    claims: list[BinaryIO] = []
    try:
        for name, who in ((PANEL_LOCK, "The panel"), (WORKER_LOCK, "A worker of the panel")):
            try:
                claims.append(panel_claim(data_dir, name))
            except BlockingIOError:
                raise PanelRuns(
                    f"{who} runs on {data_dir}. Stop it first (Ctrl-C in its window), then restore."
                ) from None
        if users := _open_in(database):
            raise PanelRuns(
                f"{database} is open in PID {', '.join(map(str, users))}. End what uses the panel's data, then restore."
            )
        yield
    finally:
        for claim in claims:
            claim.close()


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
