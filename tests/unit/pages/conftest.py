"""Surroundings of a page: its own folders and lock, and people who are logged in."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from tests.support.people import EVERYTHING, client_of


@pytest.fixture(autouse=True)
def uploads(settings: Settings, tmp_path: Path) -> Path:
    """Nothing of a test is written outside of its own folder."""
    settings.MEDIA_ROOT = tmp_path / "uploads"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "uploads" / "incoming"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir(parents=True)
    settings.WORK_DIR = tmp_path / "work"
    settings.GATE_LOCK_PATH = tmp_path / "locks" / "whisper_large.lock"
    return tmp_path / "uploads"


@pytest.fixture
def anonymous() -> Client:
    return Client()


@pytest.fixture
def operator() -> Client:
    """Staff who may do everything with jobs."""
    return client_of("operator", *EVERYTHING)


@pytest.fixture
def viewer() -> Client:
    """Staff who may only look."""
    return client_of("viewer", "view_job")


@pytest.fixture
def administrator() -> Client:
    return client_of("administrator", is_superuser=True)
