"""A data directory with one recording, and a backup of it: made once, by the commands themselves."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
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
        if path.is_file() and path.relative_to(data_dir).parts[0] not in {"static", "panel.lock", "worker.lock"}
    }
