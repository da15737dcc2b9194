"""A backup that was damaged or forged: nothing of it is written, and what was there stays."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tarfile
from pathlib import Path

import pytest

from j5a_admin.backup.errors import ArchiveDamaged, BackupError
from j5a_admin.backup.read import archive_read
from tests.support.backups import Change, Made, Member, contents, forged, with_database
from tests.support.panel import Panel


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> Member:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info, b"evil" if kind == tarfile.REGTYPE else b""


def with_entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> Change:
    """Also in the list of contents, so that only its name or kind can betray it."""

    def change(found: list[Member]) -> None:
        info, data = found[-1]
        values = json.loads(data)
        values["files"].append({"name": name, "size_bytes": 4, "sha256": hashlib.sha256(b"evil").hexdigest()})
        found[-1] = info, json.dumps(values).encode()
        found.insert(1, entry(name, kind, link))

    return change


def manifest_of(**values: object) -> Change:
    def change(found: list[Member]) -> None:
        info, data = found[-1]
        found[-1] = info, json.dumps({**json.loads(data), **values}).encode()

    return change


def flip(found: list[Member]) -> None:
    info, data = found[1]
    found[1] = info, data[:1000] + bytes([data[1000] ^ 1]) + data[1001:]


FORGERIES: dict[str, Change] = {
    "parent folder": with_entry("uploads/../secret_key"),
    "absolute": with_entry("/tmp/evil"),
    "another folder": with_entry("models/evil.pt"),
    "deeper": with_entry("uploads/a/b"),
    "hidden": with_entry("uploads/.hidden"),
    "the key": with_entry("secret_key"),
    "backslash": with_entry("uploads/..\\evil"),
    "link": with_entry("uploads/link", tarfile.SYMTYPE, "/etc/passwd"),
    "hard link": with_entry("uploads/hard", tarfile.LNKTYPE, "j5a.sqlite3"),
    "device": with_entry("uploads/device", tarfile.CHRTYPE),
    "pipe": with_entry("uploads/pipe", tarfile.FIFOTYPE),
    "folder": with_entry("uploads/folder", tarfile.DIRTYPE),
    "twice": lambda found: found.insert(1, found[0]),
    "flipped bit": flip,
    "not in the list": lambda found: found.insert(1, entry("uploads/extra.mp3")),
    "missing": lambda found: found.remove(found[1]),
    "without database": lambda found: found.remove(found[0]),
    "without list": lambda found: found.remove(found[-1]),
    "behind the list": lambda found: found.append(entry("uploads/late.mp3")),
    "list is a pit": lambda found: found.__setitem__(-1, (found[-1][0], b"[" * 200_000)),
    "list is no json": lambda found: found.__setitem__(-1, (found[-1][0], b"[")),
    "list of nothing": manifest_of(files=[]),
    "list of numbers": manifest_of(files=[1, 2]),
    "orders to a terminal": manifest_of(host="\x1b]0;evil\x07"),
    "another format": manifest_of(format=2),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_backup_is_refused_and_nothing_lies_outside(made: Made, tmp_path: Path, name: str) -> None:
    into = tmp_path / "deep" / "into"
    (into / "uploads").mkdir(parents=True)
    path = forged(made, tmp_path, FORGERIES[name])
    with pytest.raises(BackupError):
        archive_read(path, into=into)
    outside = {str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*") if into not in one.parents}
    assert outside == {"deep", "deep/into", "forged.tar"}
    assert not Path("/tmp/evil").exists()
    assert not any(one.is_symlink() for one in tmp_path.rglob("*"))


def test_the_untouched_one_is_taken(made: Made, tmp_path: Path) -> None:
    assert archive_read(forged(made, tmp_path, lambda _: None)) == archive_read(made.backup)


@pytest.mark.parametrize("part", [0.0, 0.001, 0.3, 0.7, 0.98])
def test_one_that_was_cut_off_is_refused(made: Made, tmp_path: Path, part: float) -> None:
    data = made.backup.read_bytes()
    (tmp_path / "cut.tar").write_bytes(data[: int(len(data) * part)])
    with pytest.raises(ArchiveDamaged):
        archive_read(tmp_path / "cut.tar")


@pytest.mark.parametrize("data", [b"", b"\0" * 10_240, b"hello" * 1000, b"\x1f\x8b" + b"\0" * 1000])
def test_another_file_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "other").write_bytes(data)
    with pytest.raises(ArchiveDamaged):
        archive_read(tmp_path / "other")


def test_a_restore_of_a_forged_one_changes_nothing(made: Made, empty: Panel, tmp_path: Path) -> None:
    empty.manage("check")  # makes the keys of this machine
    before = contents(empty.data_dir)
    done = empty.manage("restore", str(forged(made, tmp_path, flip)))
    assert done.returncode == 1
    assert "is not as its list of contents says. Use another backup." in done.stderr
    assert "Traceback" not in done.stderr
    assert contents(empty.data_dir) == before


def test_a_folder_is_no_backup(empty: Panel, tmp_path: Path) -> None:
    done = empty.manage("restore", str(tmp_path))
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "cannot be read: Is a directory" in done.stderr


def test_a_database_with_other_tables_is_refused_in_words(made: Made, empty: Panel, tmp_path: Path) -> None:
    """It says that it is up to date, and lacks what the panel works with."""

    def rename(rows: sqlite3.Connection) -> None:
        rows.execute("ALTER TABLE transcribe_attempt RENAME TO other")

    done = empty.manage("restore", str(forged(made, tmp_path, with_database(tmp_path, rename))))
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "could not be brought up to date: no such table: transcribe_attempt. Nothing was changed." in done.stderr
    assert not (empty.data_dir / "j5a.sqlite3").exists()
    assert not (empty.data_dir / "restoring").exists()


def test_a_backup_that_is_not_there_is_told(empty: Panel) -> None:
    done = empty.manage("restore", "nowhere.tar")
    assert done.returncode == 1
    assert "nowhere.tar" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_is_not_there_is_told_before_the_data_that_is(made: Made, tmp_path: Path) -> None:
    done = made.panel.manage("restore", str(tmp_path / "none.tar"))
    assert done.returncode != 0
    assert "none.tar cannot be read: No such file" in done.stderr
    assert "has data" not in done.stderr
