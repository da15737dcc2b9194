"""A data directory with one recording, and a backup of it: made once, by the commands themselves."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.panel import Panel


@dataclass(frozen=True)
class Made:
    """`panel` is not running; `backup` is of its data."""

    panel: Panel
    backup: Path


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Tests leave it as it is."""
    panel = Panel(tmp_path_factory.mktemp("made"))
    prepared = panel.manage("prepare")
    assert prepared.returncode == 0, prepared.stderr
    target = panel.root / "first.tar"
    done = panel.manage("backup", str(target))
    assert done.returncode == 0, done.stderr
    return Made(panel, target)


@pytest.fixture
def copied(made: Made, tmp_path: Path) -> Panel:
    """Data that a test may change: the same, at another place."""
    panel = Panel(tmp_path / "copied")
    shutil.copytree(made.panel.data_dir, panel.data_dir)
    return panel


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Panel]:
    panel = Panel(tmp_path / "empty")
    panel.root.mkdir()
    yield panel


Contents = Callable[[Path], dict[str, bytes]]


def contents(data_dir: Path) -> dict[str, bytes]:
    """Everything that a restore could touch, by relative path."""
    return {
        str(path.relative_to(data_dir)): path.read_bytes()
        for path in sorted(data_dir.rglob("*"))
        if path.is_file()
        and path.relative_to(data_dir).parts[0] not in {"static", "panel.lock", "worker.lock", "data.lock"}
    }


Member = tuple[tarfile.TarInfo, bytes]
Change = Callable[[list[Member]], None]


def members(path: Path) -> list[Member]:
    with tarfile.open(path) as archive:
        return [(info, archive.extractfile(info).read()) for info in archive]  # type: ignore[union-attr]


def forged(made: Made, tmp_path: Path, change: Change) -> Path:
    found = members(made.backup)
    change(found)
    path = tmp_path / "forged.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in found:
            if info.isreg():
                info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def with_database(tmp_path: Path, craft: Callable[[sqlite3.Connection], object]) -> Change:
    """The database changed by `craft`, and told so in the list of contents."""

    def change(found: list[Member]) -> None:
        database = tmp_path / "changed.sqlite3"
        database.write_bytes(found[0][1])
        with closing(sqlite3.connect(database, isolation_level=None)) as rows:
            craft(rows)
            rows.execute("PRAGMA journal_mode=DELETE")
        data = database.read_bytes()
        info, values = found[-1][0], json.loads(found[-1][1])
        values["files"][0] |= {"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        found[0], found[-1] = (found[0][0], data), (info, json.dumps(values).encode())

    return change
