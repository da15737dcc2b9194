"""A database that cannot be used: the page says the cause and the next step, and answers 503."""

from __future__ import annotations

import sqlite3
import urllib.error
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from django.db import OperationalError
from pytest_django import Settings

from gate.core.units import MIB
from tests.support.panel import Panel, until
from transcribe.disk import database_text, database_trouble


@pytest.mark.parametrize(
    ("error", "free_bytes", "said"),
    [
        ("disk I/O error", MIB - 1, "is full (1024.0 KiB free)"),
        ("disk I/O error", MIB, "SQLite says: disk I/O error"),
        ("database is locked", MIB, "Another program keeps the database locked"),
        ("database or disk is full", 0, "is full (0 bytes free). Free some space."),
        ("database or disk is full", 2 * MIB, "is full (2 MiB free). Free some space."),
        ("database disk image is malformed", 10 * MIB, "is damaged"),
        ("no such table: gate_incident", 10 * MIB, "of another version of the panel"),
        ("unable to open database file", 10 * MIB, "permissions of the panel's data directory"),
    ],
)
def test_it_names_cause_and_next_step(error: str, free_bytes: int, said: str) -> None:
    assert said in database_text(error, free_bytes)


def test_a_page_says_so_while_the_database_is_gone_and_works_afterwards(make_panel: Callable[..., Panel]) -> None:
    """A folder stands in the place of its file, so nothing can be opened there."""
    panel = make_panel()
    panel.login()
    database = panel.data_dir / "j5a.sqlite3"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    aside = database.rename(database.with_suffix(".aside"))
    try:
        database.mkdir()
        with pytest.raises(urllib.error.HTTPError) as refused:
            until(lambda: panel.get("/") and None, seconds=10, what="the page fails")
        assert refused.value.code == 503
        said = refused.value.read().decode()
        assert "The database cannot be used now" in said
        assert "Traceback" not in said
        database.rmdir()
        database.write_bytes(b"not what SQLite wrote" * 1000)
        with pytest.raises(urllib.error.HTTPError) as damaged:
            until(lambda: panel.get("/") and None, seconds=10, what="the page fails")
        assert damaged.value.code == 503
        said = damaged.value.read().decode()
        assert "The database is damaged" in said and "restore the last backup" in said
        assert "go on by themselves" not in said
    finally:
        if database.is_dir():
            database.rmdir()
        aside.rename(database)
    until(lambda: _works(panel), seconds=30, what="the page comes again")


def test_the_folder_of_the_data_is_gone(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "not mounted"
    said = database_trouble(OperationalError("unable to open database file"))
    assert "not mounted, cannot be read (No such file or directory). Mount its disk again" in said


def _works(panel: Panel) -> bool:
    try:
        return "Dashboard" in panel.get("/")
    except urllib.error.HTTPError:
        return False
