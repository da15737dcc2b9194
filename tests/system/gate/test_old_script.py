"""A shell script that behaves like the original gate, and ours, exclude each other in both directions.

Written from the facts in the notes: it asks `ps -p "$(cat LOCK)"`, deletes the file when that fails, writes
its own PID, and removes the file at the end when it is still its own.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gate.core.errors import LockHeld
from gate.core.heldlock import HeldLock
from gate.core.identity import record_for
from gate.core.lockfile import HeavyLock
from gate.core.readings import LockState

OLD_SCRIPT = """
lock=$1
if [ -f "$lock" ]; then
  if ps -p "$(cat "$lock")" >/dev/null 2>&1; then echo refused; exit 1; fi
  rm -f "$lock"
fi
echo $$ > "$lock"
echo held
read -r _
[ "$(cat "$lock")" = $$ ] && rm -f "$lock"
echo released
"""


@pytest.fixture
def lock(tmp_path: Path) -> HeavyLock:
    return HeavyLock(tmp_path / "whisper_large.lock", host="mini")


def take(lock: HeavyLock) -> HeldLock:
    return lock.acquire(record_for(os.getpid(), machine=lock.machine))


def old_script(lock: HeavyLock) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["bash", "-c", OLD_SCRIPT, "old", str(lock.path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_the_old_script_respects_ours(lock: HeavyLock) -> None:
    with take(lock) as held:
        assert old_script(lock).communicate("\n")[0] == "refused\n"
        held.require_ours()


def test_ours_respects_the_old_script(lock: HeavyLock) -> None:
    script = old_script(lock)
    assert script.stdout is not None
    assert script.stdout.readline() == "held\n"
    assert lock.inspect().state is LockState.LEGACY
    with pytest.raises(LockHeld):
        take(lock)
    assert script.communicate("\n")[0] == "released\n"
    assert take(lock).release()


def test_the_old_script_gets_it_after_our_release_and_ours_after_its_death(lock: HeavyLock) -> None:
    take(lock).release()
    script = old_script(lock)
    assert script.stdout is not None
    assert script.stdout.readline() == "held\n"
    with pytest.raises(LockHeld):
        take(lock)
    script.kill()
    script.communicate()
    with take(lock) as held:
        assert held.took_over is not None
        assert held.took_over.state is LockState.STALE


def test_a_waiter_is_not_fooled_by_a_file_that_was_replaced(lock: HeavyLock) -> None:
    """The old script deletes our released file and makes its own: winning the old one means nothing."""
    take(lock).release()
    opened = os.open(lock.path, os.O_RDWR)
    script = old_script(lock)
    assert script.stdout is not None
    assert script.stdout.readline() == "held\n"
    assert os.fstat(opened).st_nlink == 0
    with pytest.raises(LockHeld):
        take(lock)
    os.close(opened)
    script.communicate("\n")
