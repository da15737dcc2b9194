"""The kernel lock with real processes: it lasts exactly as long as somebody who inherited it lives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gate.core.identity import record_for
from gate.core.lockfile import HeavyLock
from gate.core.readings import LockState

ROOT = Path(__file__).resolve().parents[3]


class Holder:
    """The lock child, talked to by lines."""

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.lock_child", str(path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        self.pid = self._process.pid
        self.children: list[int] = []

    def hear(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def say(self, word: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        return self.hear()

    def start_child(self) -> int:
        pid = int(self.say("child").split()[1])
        self.children.append(pid)
        return pid

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def stop(self) -> None:
        self.kill()
        for pid in self.children:
            kill_quietly(pid)


def kill_quietly(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    end = time.monotonic() + 10
    while time.monotonic() < end and Path(f"/proc/{pid}/stat").exists() and not is_zombie(pid):
        time.sleep(0.01)


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.fixture
def lock(tmp_path: Path) -> HeavyLock:
    return HeavyLock(tmp_path / "whisper_large.lock", host="mini")


@pytest.fixture
def start(lock: HeavyLock) -> Iterator[Callable[[], Holder]]:
    holders: list[Holder] = []

    def begin() -> Holder:
        holders.append(Holder(lock.path))
        return holders[-1]

    yield begin
    for holder in holders:
        holder.stop()


def can_take(lock: HeavyLock) -> bool:
    try:
        lock.acquire(record_for(os.getpid(), machine=lock.machine)).release()
    except Exception as refused:
        assert type(refused).__name__ == "LockHeld"
        return False
    return True


def test_it_lets_one_of_two_processes_in(start: Callable[[], Holder]) -> None:
    first = start()
    assert first.hear() == "held"
    assert start().hear() == "refused"


def test_it_is_free_after_the_holder_was_killed(lock: HeavyLock, start: Callable[[], Holder]) -> None:
    holder = start()
    assert holder.hear() == "held"
    holder.kill()
    assert lock.inspect().state is LockState.STALE
    assert can_take(lock)


def test_it_stays_held_by_a_child_of_a_killed_holder_until_that_ends(
    lock: HeavyLock, start: Callable[[], Holder]
) -> None:
    holder = start()
    assert holder.hear() == "held"
    child = holder.start_child()
    holder.kill()
    reading = lock.inspect()
    assert (reading.state, reading.held_by_pid) == (LockState.HELD, child)
    assert not can_take(lock)
    kill_quietly(child)
    assert can_take(lock)


def test_a_release_leaves_the_lock_to_a_child_and_names_it(lock: HeavyLock, start: Callable[[], Holder]) -> None:
    holder = start()
    assert holder.hear() == "held"
    child = holder.start_child()
    assert holder.say("release") == "released"
    assert lock.path.read_text() == f"{child}\n"
    assert lock.inspect().held_by_pid == child
    assert not can_take(lock)
    kill_quietly(child)
    assert can_take(lock)


def test_many_contenders_never_hold_it_at_once(lock: HeavyLock, tmp_path: Path) -> None:
    """Each adds its start and end to a log while it holds the lock; the log must alternate."""
    log = tmp_path / "log"
    script = (
        "import os,sys;from pathlib import Path;from gate.core.lockfile import HeavyLock;"
        "from gate.core.identity import record_for\n"
        "lock=HeavyLock(Path(sys.argv[1]),host='mini')\n"
        "fd=os.open(sys.argv[2],os.O_WRONLY|os.O_CREAT|os.O_APPEND)\n"
        "for _ in range(25):\n"
        " held=lock.acquire(record_for(os.getpid(),machine=lock.machine),timeout_seconds=20)\n"
        " os.write(fd,b'(');os.write(fd,b')');lock.inspect();held.release()\n"
    )
    command = [sys.executable, "-c", script, str(lock.path), str(log)]
    contenders = [subprocess.Popen(command, cwd=ROOT) for _ in range(4)]
    assert [contender.wait() for contender in contenders] == [0, 0, 0, 0]
    assert log.read_text() == "()" * 100
    assert lock.inspect().state is LockState.FREE
