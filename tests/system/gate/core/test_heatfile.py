"""The heat latch beside the lock: whatever lies there keeps the gate shut, nothing of others is followed or changed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gate.core.heatfile import HEAT_NAME, HeatFile
from tests.support.mounts import answers_of

NOBODY = 65534


@pytest.fixture
def heat(tmp_path: Path) -> HeatFile:
    return HeatFile(tmp_path / "locks" / "whisper_large.lock")


def test_it_is_not_tripped_where_nothing_was_ever_kept_and_looking_makes_nothing(heat: HeatFile) -> None:
    assert not heat.is_tripped()
    assert heat.reset()
    assert not heat.path.parent.exists()


def test_what_one_process_trips_another_sees_and_resets(heat: HeatFile) -> None:
    assert heat.trip()
    other = HeatFile(heat.path.with_name("whisper_large.lock"))
    assert other.is_tripped()
    assert other.reset()
    assert not heat.is_tripped()
    assert list(heat.path.parent.iterdir()) == []


def test_its_content_tells_people_who_saw_it(heat: HeatFile) -> None:
    heat.trip()
    assert json.loads(heat.path.read_text())["seen_by_pid"] == os.getpid()


PLANTS: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(b"\0\xff{"),
    "says no": lambda path: path.write_text('{"tripped": false}'),
    "dangling link": lambda path: path.symlink_to("nowhere"),
    "pipe": os.mkfifo,
    "unreadable": lambda path: (path.write_text("{}"), path.chmod(0)),
}


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_whatever_lies_there_counts_as_tripped_and_can_be_reset(
    heat: HeatFile, plant: Callable[[Path], object]
) -> None:
    heat.path.parent.mkdir(mode=0o700)
    plant(heat.path)
    assert heat.is_tripped()
    assert heat.trip()
    assert heat.path.is_file() and not heat.path.is_symlink()
    assert heat.reset()
    assert not heat.is_tripped()
    plant(heat.path)
    assert heat.reset()
    assert not heat.is_tripped()


def test_a_link_is_neither_followed_for_writing_nor_its_target_removed(heat: HeatFile, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    heat.path.parent.mkdir(mode=0o700)
    for act in (heat.trip, heat.reset):
        heat.path.unlink(missing_ok=True)
        heat.path.symlink_to(precious)
        assert act()
        assert precious.read_text() == "precious"


def test_a_folder_in_its_place_counts_as_tripped_and_nothing_is_raised(heat: HeatFile) -> None:
    heat.path.mkdir(parents=True)
    assert (heat.is_tripped(), heat.trip(), heat.reset(), heat.is_tripped()) == (True, False, False, True)


def test_a_directory_that_is_not_safe_counts_as_tripped_and_is_left_alone(heat: HeatFile) -> None:
    heat.path.parent.mkdir()
    heat.path.parent.chmod(0o777)
    assert (heat.is_tripped(), heat.trip(), heat.reset()) == (True, False, False)
    assert list(heat.path.parent.iterdir()) == []


def test_a_link_in_place_of_the_directory_counts_as_tripped(heat: HeatFile, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    heat.path.parent.symlink_to(tmp_path / "elsewhere")
    assert (heat.is_tripped(), heat.trip(), heat.reset()) == (True, False, False)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.usefixtures("needs_root")
def test_another_users_file_in_a_sticky_directory_counts_as_tripped_and_stays(heat: HeatFile) -> None:
    """As an ordinary user in root's /tmp: the file of somebody else can be neither written nor removed."""
    heat.path.parent.mkdir()
    heat.path.parent.chmod(0o1777)
    heat.path.write_text("{}")
    os.chown(heat.path, NOBODY, NOBODY)
    seen = as_user(NOBODY - 1, heat.path.with_name("whisper_large.lock"))
    assert seen == [True, False, False, True]
    assert heat.path.read_text() == "{}"


@pytest.mark.usefixtures("needs_root")
def test_a_directory_of_another_user_counts_as_tripped(heat: HeatFile) -> None:
    heat.path.parent.mkdir()
    os.chown(heat.path.parent, NOBODY, NOBODY)
    assert (heat.is_tripped(), heat.trip(), heat.reset()) == (True, False, False)


def as_user(user_id: int, lock_path: Path) -> list[bool]:
    """What another user sees and can do: is tripped, trips, resets, is tripped."""
    folder = lock_path.parent
    while folder != folder.parent and folder.stat().st_uid == os.geteuid() and "pytest" in str(folder):
        folder.chmod(folder.stat().st_mode | 0o055)  # pytest's folders are for their owner alone
        folder = folder.parent
    reads, writes = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setuid(user_id)
            heat = HeatFile(lock_path)
            os.write(writes, json.dumps([heat.is_tripped(), heat.trip(), heat.reset(), heat.is_tripped()]).encode())
        finally:
            os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as answer:
        text = answer.read()
    os.waitpid(pid, 0)
    found: list[bool] = json.loads(text)
    return found


# In a mount namespace; argv: an empty directory, where a small disk is mounted, filled, and made read-only.
FULL_DISK = """
import json, os, sys
from pathlib import Path
from gate.core.heatfile import HeatFile
from tests.support.mounts import remount, small_disk
place = Path(sys.argv[1])
small_disk(place)
heat = HeatFile(place / "whisper_large.lock")
file = os.open(place / "full", os.O_WRONLY | os.O_CREAT)
try:
    while True: os.write(file, b"x" * 512)
except OSError: os.close(file)
answers = {"full": [heat.trip(), heat.is_tripped(), heat.path.stat().st_size]}
answers["left over"] = sorted(path.name for path in place.iterdir())
answers["reset"] = [heat.reset(), heat.is_tripped()]
heat.trip()
remount(place, "ro")
answers["read-only"] = [heat.trip(), heat.reset(), heat.is_tripped()]
print(json.dumps(answers))
"""


@pytest.mark.usefixtures("namespaces")
def test_on_a_full_disk_it_is_kept_and_on_a_read_only_one_nothing_is_raised(tmp_path: Path) -> None:
    answers = answers_of(FULL_DISK, str(tmp_path))
    assert answers == {
        "full": [True, True, 0], "left over": ["full", HEAT_NAME], "reset": [True, False],
        "read-only": [False, False, True],
    }  # fmt: skip
