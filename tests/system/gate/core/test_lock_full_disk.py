"""The disk fills up while the lock is held or taken: no PID line is lost, and no lock stays behind for a restart."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.mounts import answers_of

# In a mount namespace; argv: an empty directory. A small file system is mounted there and filled at several moments.
PROGRAM = """
import errno, json, os, subprocess, sys
from pathlib import Path
from gate.core.errors import LockError
from gate.core.identity import record_for
from gate.core.lockfile import HeavyLock
from tests.support.mounts import remount, small_disk
place = Path(sys.argv[1])
small_disk(place)
path, full = place / "x.lock", place / "full"
lock = HeavyLock(path, host="mini")
def take(): return lock.acquire(record_for(os.getpid(), machine=lock.machine))
def fill(keep_bytes=0):
    file = os.open(full, os.O_WRONLY | os.O_CREAT)
    try:
        while True: os.write(file, b"x" * 512)
    except OSError as problem:
        assert problem.errno == errno.ENOSPC
    os.ftruncate(file, os.fstat(file).st_size - keep_bytes)
    os.close(file)
def tried(act):
    try:
        act()
    except LockError as problem:
        return type(problem).__name__
    return "done"
def fresh_process_takes():
    code = ("import os, sys; from pathlib import Path; from gate.core.lockfile import HeavyLock;"
            "from gate.core.identity import record_for; lock = HeavyLock(Path(sys.argv[1]), host='mini');"
            "lock.acquire(record_for(os.getpid(), machine=lock.machine)).release()")
    return subprocess.run([sys.executable, "-c", code, str(path)], stderr=subprocess.DEVNULL).returncode == 0
answers = {}

held = take()
child = subprocess.Popen(["sleep", "300"], pass_fds=(held.fileno(),))
fill()
answers["heartbeat"] = tried(held.heartbeat)
answers["line after it"] = path.read_text() == f"{os.getpid()}\\n"
answers["update"] = tried(lambda: held.update_pid(child.pid))
answers["line after the update"] = path.read_text() == f"{os.getpid()}\\n"
reading = lock.inspect()
answers["record after the update"] = reading.holder == held.record and held.problem() is None
answers["release with a child"] = held.release()
answers["line names the child"] = path.read_text() == f"{child.pid}\\n"
child.kill(); child.wait()
answers["child's lock afterwards"] = lock.inspect().state
full.unlink()
answers["taken after it"] = fresh_process_takes()

held = take()
fill()
answers["release"] = held.release()
answers["line after the release"] = path.read_text()
answers["state after the release"] = lock.inspect().state
full.unlink()
answers["taken after the release"] = fresh_process_takes()

os.truncate(path, 0); os.utime(path, (0, 0))
fill(keep_bytes=4096)  # room for the line, and none for the record
answers["acquire"] = tried(take)
answers["state after acquire"] = lock.inspect().state
answers["line after acquire"] = path.read_text()
full.unlink()
answers["taken after acquire"] = fresh_process_takes()

gone = subprocess.Popen(["true"]); gone.wait()
path.write_text(f"{gone.pid}\\n")
fill()
answers["acquire of a stale one"] = tried(take)
answers["state of a stale one"] = lock.inspect().state
full.unlink()
answers["taken after a stale one"] = fresh_process_takes()

held = take()
child = subprocess.Popen(["sleep", "300"], pass_fds=(held.fileno(),))
held.update_pid(gone.pid)
fill()
answers["naming"] = tried(lock.survivor_name)
answers["line after naming"] = path.read_text() == f"{gone.pid}\\n"
full.unlink()
answers["naming with room"] = lock.survivor_name().pid in (child.pid, os.getpid())
child.kill(); child.wait()
answers["last release"] = held.release()
answers["leftovers"] = sorted(os.listdir(place))
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def answers(namespaces: None, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return answers_of(PROGRAM, str(tmp_path_factory.mktemp("place")))


def test_a_heartbeat_needs_no_room(answers: Any) -> None:
    assert answers["heartbeat"] == "done"
    assert answers["line after it"]


def test_an_update_without_room_leaves_line_and_record_as_they_were(answers: Any) -> None:
    assert answers["update"] == "LockUnwritable"
    assert answers["line after the update"]
    assert answers["record after the update"]


def test_a_release_without_room_still_names_the_child_that_keeps_it(answers: Any) -> None:
    assert answers["release with a child"] is False
    assert answers["line names the child"]
    assert answers["child's lock afterwards"] == "stale"
    assert answers["taken after it"]


def test_a_release_without_room_leaves_a_free_lock_though_its_process_lives_on(answers: Any) -> None:
    assert answers["release"] is True
    assert answers["line after the release"] == ""
    assert answers["state after the release"] == "free"
    assert answers["taken after the release"]


def test_a_record_that_finds_no_room_leaves_a_free_lock_though_its_process_lives_on(answers: Any) -> None:
    assert answers["acquire"] == "LockUnwritable"
    assert (answers["state after acquire"], answers["line after acquire"]) == ("free", "")
    assert answers["taken after acquire"]


def test_a_stale_lock_that_could_not_be_taken_over_is_free_afterwards(answers: Any) -> None:
    assert answers["acquire of a stale one"] == "LockUnwritable"
    assert answers["state of a stale one"] in ("free", "stale")
    assert answers["taken after a stale one"]


def test_a_survivor_that_finds_no_room_is_named_when_there_is_some(answers: Any) -> None:
    assert answers["naming"] == "LockUnwritable"
    assert answers["line after naming"]
    assert answers["naming with room"]
    assert answers["last release"] is True


def test_nothing_is_left_behind(answers: Any) -> None:
    assert answers["leftovers"] == ["x.lock"]
