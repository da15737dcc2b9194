from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

import pytest

from gate.core.identity import record_for
from gate.core.lockfile import HeavyLock


def test_it_tries_again_when_the_path_names_another_file_after_winning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replaced between opening and locking, at the lowest place where that can be made to happen."""
    lock = HeavyLock(tmp_path / "x.lock", host="mini")
    lock.acquire(record_for(os.getpid(), machine=lock.machine)).release()
    first_inode = lock.path.stat().st_ino
    real_flock = fcntl.flock
    calls: list[int] = []

    def flock_after_replacement(descriptor: int, mode: int) -> None:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # the directory's, for whoever writes
            real_flock(descriptor, mode)
            return
        if not calls:
            (tmp_path / "new").write_bytes(b"")
            os.utime(tmp_path / "new", (0, 0))
            (tmp_path / "new").rename(lock.path)
        calls.append(descriptor)
        real_flock(descriptor, mode)

    monkeypatch.setattr(fcntl, "flock", flock_after_replacement)
    held = lock.acquire(record_for(os.getpid(), machine=lock.machine))
    assert len(calls) == 2
    assert os.fstat(held.fileno()).st_ino == lock.path.stat().st_ino != first_inode
    assert held.release()
