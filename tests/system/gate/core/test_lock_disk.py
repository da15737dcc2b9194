"""The lock on a full disk, on a read-only one, and under a clock that jumps: clear words, and never a false holder."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gate.core.identity import record_for
from gate.core.lockfile import HeavyLock
from gate.core.readings import LockState
from tests.support.mounts import answers_of
from tests.support.panel import BASE_DIR

# In a mount namespace; argv: an empty directory. A small file system is mounted there, filled, emptied, made read-only.
PROGRAM = """
import json, os, sys
from pathlib import Path
from gate.core.errors import LockError
from gate.core.identity import record_for
from gate.core.lockfile import HeavyLock
from tests.support.mounts import remount, small_disk
place = Path(sys.argv[1])
small_disk(place)
lock = HeavyLock(place / "whisper_large.lock", host="mini")
def take():
    try:
        held = lock.acquire(record_for(os.getpid(), machine=lock.machine))
    except LockError as problem:
        return [type(problem).__name__, str(problem)]
    held.release()
    return ["taken", ""]
def fill():
    file = os.open(place / "full", os.O_WRONLY | os.O_CREAT)
    try:
        while True: os.write(file, b"x" * 512)
    except OSError: os.close(file)
answers = {"before": take()}
fill()
answers["full"], answers["seen when full"] = take(), lock.inspect().state
(place / "full").unlink()
answers["emptied"] = take()
remount(place, "ro")
answers["read-only"], answers["seen read-only"] = take(), lock.inspect().state
print(json.dumps(answers))
"""


@pytest.mark.usefixtures("namespaces")
def test_a_disk_that_is_full_or_read_only_is_told_and_leaves_no_holder_behind(tmp_path: Path) -> None:
    answers = answers_of(PROGRAM, str(tmp_path))
    assert answers["before"][0] == answers["emptied"][0] == "taken"
    for state in ("full", "read-only"):
        assert answers[state][0] == "LockUnwritable", answers
        assert "cannot be written" in answers[state][1]
    assert "No space left on device" in answers["full"][1]
    assert (answers["seen when full"], answers["seen read-only"]) == ("free", "free")


@pytest.fixture
def lock(tmp_path: Path) -> HeavyLock:
    return HeavyLock(tmp_path / "whisper_large.lock", host="mini")


@pytest.mark.parametrize("jump_seconds", [-400 * 86_400, 400 * 86_400], ids=["set back", "set ahead"])
def test_a_holder_is_a_holder_whatever_the_clock_says(lock: HeavyLock, jump_seconds: int) -> None:
    """A record dated in another year: never stale, at most a holder without a recent sign of life."""
    with lock.acquire(record_for(os.getpid(), machine=lock.machine)) as held:
        then = time.time() + jump_seconds
        os.utime(lock.path.with_name("whisper_large.lock.json"), (then, then))
        assert lock.inspect().is_live
        held.require_ours()


def test_an_empty_file_from_the_future_is_taken_after_its_grace(lock: HeavyLock) -> None:
    lock.path.touch()
    future = time.time() + 86_400
    os.utime(lock.path, (future, future))
    assert lock.inspect().state is LockState.MALFORMED
    assert lock.acquire(record_for(os.getpid(), machine=lock.machine)).release()


# argv: the lock. Killed between the writing of a fresh record and its renaming.
KILLED = """
import os, signal, sys
from pathlib import Path
os.rename = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
from gate.core.identity import record_for
from gate.core.lockfile import HeavyLock
lock = HeavyLock(Path(sys.argv[1]), host="mini")
lock.acquire(record_for(os.getpid(), machine=lock.machine))
"""


def test_what_a_killed_writer_left_is_removed_when_it_is_old(lock: HeavyLock) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(lock.path)], cwd=BASE_DIR)
    assert done.returncode == -9
    (left,) = [path for path in lock.path.parent.iterdir() if path.name.startswith(".")]
    strangers = [lock.path.with_name(name) for name in (".profile", ".whisper_large.lock.json.bak", "notes.1.0123abcd")]
    for path in strangers:
        path.touch()
        os.utime(path, (0, 0))
    lock.prepare()
    assert left.exists(), "its writer may be alive"
    os.utime(left, (0, 0))
    lock.prepare()
    assert not left.exists()
    assert all(path.exists() for path in (lock.path, *strangers))
