"""Surroundings of a test that stores files or asks a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.transcribe.runs import place_of_runs
from transcribe.slot import EngineSlot


@pytest.fixture
def uploads(settings: Settings, tmp_path: Path) -> Path:
    """An empty uploads folder; `incoming` below it takes what is on its way in."""
    settings.MEDIA_ROOT = tmp_path / "uploads"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "uploads" / "incoming"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir(parents=True)
    return tmp_path / "uploads"


@pytest.fixture
def slot(settings: Settings, tmp_path: Path) -> Iterator[EngineSlot]:
    """The place of an engine, with a lock of the test's own; no engine is left in it."""
    place_of_runs(settings, tmp_path)
    slot = EngineSlot()
    yield slot
    slot.kill()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers of these tests are on this machine, whatever proxy leads to the others."""
    monkeypatch.setenv("no_proxy", "*")
