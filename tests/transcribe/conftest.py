"""Surroundings of a test that stores files or asks a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture
def uploads(settings: Settings, tmp_path: Path) -> Path:
    """An empty uploads folder; `incoming` below it takes what is on its way in."""
    settings.MEDIA_ROOT = tmp_path / "uploads"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "uploads" / "incoming"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir(parents=True)
    return tmp_path / "uploads"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers of these tests are on this machine, whatever proxy leads to the others."""
    monkeypatch.setenv("no_proxy", "*")
