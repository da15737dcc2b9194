"""A check says that a full or read-only lock folder stops every start, and finds it without writing anything."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gate.core.checks import check_lock
from gate.core.lockfile import HeavyLock
from gate.core.lockroom import room_problem
from gate.core.readings import LockState
from gate.core.verdict import Outcome
from tests.support.machines import may_skip
from tests.support.mounts import answers_of

NOBODY = 65534

# In a mount namespace; argv: an empty directory. Small file systems are mounted there, filled, and looked at.
PROGRAM = """
import json, os, subprocess, sys
from pathlib import Path
from gate.core.checks import check_lock
from gate.core.identity import record_for
from gate.core.lockfile import HeavyLock
from tests.support.mounts import remount, sh, small_disk
place = Path(sys.argv[1])
def fill(keep_bytes=0):
    file = os.open(place / "full", os.O_WRONLY | os.O_CREAT)
    try:
        while True: os.write(file, b"x" * 4096)
    except OSError:
        os.ftruncate(file, os.fstat(file).st_size - keep_bytes)
        os.close(file)
answers = {}
def ask(name):
    before = {path: path.stat().st_mtime_ns for path in [place, *place.rglob("*")]}
    checked = check_lock(HeavyLock(place / "locks" / "x.lock", host="mini").inspect())
    assert before == {path: path.stat().st_mtime_ns for path in [place, *place.rglob("*")]}, "a check wrote"
    answers[name] = [checked.outcome, checked.summary, checked.unblock]
def take_and_release():
    lock = HeavyLock(place / "locks" / "x.lock", host="mini")
    lock.acquire(record_for(os.getpid(), machine=lock.machine)).release()

sh("mount", "--make-rprivate", "/")
small_disk(place, "size=1m")
ask("nothing there yet")
take_and_release()
ask("room")
fill(keep_bytes=8192)
ask("nearly full")
(place / "full").unlink()
fill(keep_bytes=16384)
ask("just enough")
(place / "full").unlink()
fill()
ask("full")
(place / "full").unlink()
ask("emptied")
remount(place, "ro")
ask("read-only")
sh("umount", str(place))
small_disk(place, "size=1m,ro")
ask("read-only, nothing there yet")
sh("umount", str(place))
small_disk(place, "size=1m,nr_inodes=8")
take_and_release()
for number in range(20):
    try: (place / f"file{number}").touch()
    except OSError: break
ask("no inodes")
sh("umount", str(place))
small_disk(place, "size=0,nr_inodes=0")
take_and_release()
ask("without any limit")
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def answers(namespaces: None, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return answers_of(PROGRAM, str(tmp_path_factory.mktemp("place")))


@pytest.mark.parametrize("when", ["nothing there yet", "room", "just enough", "emptied", "without any limit"])
def test_a_folder_with_room_passes(answers: Any, when: str) -> None:
    assert answers[when][0] == "pass", answers[when]


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ("full", "is full: 0 bytes free"),
        ("nearly full", "is full: 8.0 KiB free, the lock's files need 12.0 KiB"),
        ("no inodes", "is full: no inode is left"),
        ("read-only", "is mounted read-only"),
        ("read-only, nothing there yet", "does not exist and cannot be made: the file system of"),
    ],
)
def test_a_folder_that_takes_nothing_blocks_with_the_reason(answers: Any, when: str, reason: str) -> None:
    outcome, summary, unblock = answers[when]
    assert outcome == "block"
    assert summary.startswith("it cannot be taken: ")
    assert reason in summary
    assert "Mend that" in unblock


FREE_BLOCKS = {"f_blocks": 100, "f_bfree": 50, "f_bavail": 50, "f_files": 100, "f_ffree": 50, "f_favail": 50}


def room(*, is_root: bool = False, flags: int = 0, block_bytes: int = 4096, **counts: int) -> str | None:
    values = FREE_BLOCKS | counts
    names = ("f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree", "f_favail")
    found = os.statvfs_result((block_bytes, block_bytes, *(values[name] for name in names), flags, 255))
    return room_problem(found, is_root=is_root)


@pytest.mark.parametrize(
    ("counts", "is_root", "fits"),
    [
        ({}, False, True),
        ({"f_bavail": 3}, False, True),
        ({"f_bavail": 2}, False, False),
        ({"f_bavail": 0}, True, True),  # the reserve is root's
        ({"f_bfree": 2, "f_bavail": 0}, True, False),
        ({"f_favail": 0}, False, False),
        ({"f_favail": 0}, True, True),
        ({"f_ffree": 0, "f_favail": 0}, True, False),
        ({"f_files": 0, "f_ffree": 0, "f_favail": 0}, False, True),  # btrfs
        ({"f_blocks": 0, "f_bfree": 0, "f_bavail": 0}, False, True),  # a tmpfs without a limit
        ({"flags": os.ST_RDONLY}, True, False),
        ({"block_bytes": 65536, "f_bavail": 2}, False, False),
        ({"block_bytes": 512, "f_bavail": 23}, False, False),
        ({"block_bytes": 512, "f_bavail": 24}, False, True),
    ],
)
def test_room_is_counted_for_the_user(counts: dict[str, int], is_root: bool, fits: bool) -> None:
    assert (room(is_root=is_root, **counts) is None) is fits


@pytest.fixture
def others_folder() -> Iterator[Path]:
    """Of a user who is not root, because root may write everywhere; not below pytest's own folder, which is root's."""
    if os.geteuid() != 0:
        may_skip("not root: cannot become another user")
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        os.chown(place, NOBODY, NOBODY)
        Path(place, "x.lock").touch()
        os.chown(Path(place, "x.lock"), NOBODY, NOBODY)
        os.utime(Path(place, "x.lock"), (0, 0))
        os.seteuid(NOBODY)
        try:
            yield Path(place)
        finally:
            os.seteuid(0)


def test_a_folder_or_file_that_this_user_may_not_write_blocks(others_folder: Path) -> None:
    lock = HeavyLock(others_folder / "x.lock")
    assert (lock.inspect().state, lock.inspect().unwritable) == (LockState.FREE, None)
    lock.path.chmod(0o444)
    result = check_lock(lock.inspect())
    assert (result.outcome, result.summary) == (
        Outcome.BLOCK,
        f"it cannot be taken: no permission to write {lock.path}",
    )
    lock.path.chmod(0o644)
    others_folder.chmod(0o555)
    result = check_lock(lock.inspect())
    assert (result.outcome, result.summary) == (
        Outcome.BLOCK,
        f"it cannot be taken: no permission to write in {others_folder}",
    )
    others_folder.chmod(0o700)
