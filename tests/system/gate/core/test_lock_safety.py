"""A world-writable /tmp: what somebody else put there is never followed, trusted or changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gate.core.errors import LockUnsafe
from gate.core.identity import record_for
from gate.core.lockfile import HeavyLock
from gate.core.readings import LockState

NOBODY = 65534


def refused(path: Path, match: str) -> None:
    lock = HeavyLock(path, host="mini")
    with pytest.raises(LockUnsafe, match=match):
        lock.acquire(record_for(os.getpid(), machine=lock.machine))
    reading = lock.inspect()
    assert reading.state is LockState.MALFORMED
    assert reading.problem is not None


def test_a_symlink_in_place_of_the_lock_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    (tmp_path / "x.lock").symlink_to(target)
    refused(tmp_path / "x.lock", "symbolic link")
    assert target.read_text() == "precious"


def test_a_dangling_symlink_is_refused_and_nothing_is_made_behind_it(tmp_path: Path) -> None:
    (tmp_path / "x.lock").symlink_to(tmp_path / "elsewhere")
    refused(tmp_path / "x.lock", "symbolic link")
    assert not (tmp_path / "elsewhere").exists()


def test_a_symlink_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "locks").symlink_to(tmp_path / "real")
    refused(tmp_path / "locks" / "x.lock", "directory is a file or a symbolic link")


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("")
    refused(tmp_path / "locks" / "x.lock", "directory is a file")


def test_a_directory_in_place_of_the_lock_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.lock").mkdir()
    lock = HeavyLock(tmp_path / "x.lock")
    with pytest.raises(LockUnsafe):
        lock.acquire(record_for(os.getpid(), machine=lock.machine))
    assert lock.inspect().problem is not None


def test_a_pipe_in_place_of_the_lock_is_refused_without_hanging(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.lock")
    refused(tmp_path / "x.lock", "not a plain file")


def test_a_directory_that_everybody_may_write_in_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "locks"
    folder.mkdir()
    folder.chmod(0o777)
    refused(folder / "x.lock", "everybody may write")


def test_a_sticky_directory_such_as_tmp_itself_is_taken(tmp_path: Path) -> None:
    folder = tmp_path / "locks"
    folder.mkdir()
    folder.chmod(0o1777)
    lock = HeavyLock(folder / "x.lock")
    assert lock.acquire(record_for(os.getpid(), machine=lock.machine)).release()


@pytest.mark.usefixtures("needs_root")
def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.lock").write_text("1\n")
    os.chown(tmp_path / "x.lock", NOBODY, NOBODY)
    refused(tmp_path / "x.lock", f"belongs to user id {NOBODY}")


@pytest.mark.usefixtures("needs_root")
def test_a_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "locks"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    refused(folder / "x.lock", f"belongs to user id {NOBODY}")


def test_a_symlink_in_place_of_the_record_is_replaced_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    (tmp_path / "x.lock.json").symlink_to(target)
    lock = HeavyLock(tmp_path / "x.lock")
    held = lock.acquire(record_for(os.getpid(), machine=lock.machine))
    assert target.read_text() == "precious"
    assert not (tmp_path / "x.lock.json").is_symlink()
    held.release()
    assert target.exists()


def test_a_directory_in_place_of_the_record_is_refused_by_its_own_name(tmp_path: Path) -> None:
    lock = HeavyLock(tmp_path / "locks" / "whisper_large.lock")
    lock.publish()
    record = lock.path.with_name("whisper_large.lock.json")
    record.mkdir()
    assert lock.inspect().unwritable == f"{record} is a folder"
    with pytest.raises(LockUnsafe, match=r"whisper_large\.lock\.json beside it cannot be replaced: Is a directory"):
        lock.acquire(record_for(os.getpid(), machine=lock.machine))
    assert record.is_dir()
    record.rmdir()
    lock.acquire(record_for(os.getpid(), machine=lock.machine)).release()
