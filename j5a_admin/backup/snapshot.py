"""The database as one consistent file, taken while the panel goes on working."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from j5a_admin.backup.errors import ArchiveDamaged, BackupError

# Rows that open doors: a session's key is its cookie, and django-q2 runs or unpickles what lies in its tables.
# Nobody needs them after a restore: people log in again, and the worker makes new wake-ups from the jobs.
LEFT_OUT_TABLES = ("django_session", "django_q_ormq", "django_q_schedule", "django_q_task")


def database_snapshot(source: Path, target: Path) -> None:
    """Copy by SQLite's own online backup into `target`, which exists and is empty, and check it.

    Raises:
        BackupError: there is no database, or it is damaged.
    """
    if not source.is_file():
        raise BackupError(
            f"There is no database at {source}: nothing to back up. Start the panel once, or set J5A_DATA_DIR."
        )
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True, timeout=30)) as live,
            closing(sqlite3.connect(target, isolation_level=None)) as copy,
        ):
            live.backup(copy)
            _without_doors(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
    except sqlite3.OperationalError as error:
        raise BackupError(f"The database could not be copied: {error}. Nothing was kept.") from error
    except sqlite3.DatabaseError as error:
        raise BackupError(f"The database {source} is damaged: {error}. Use an older backup.") from error
    database_check(target)


def _without_doors(copy: sqlite3.Connection) -> None:
    """Remove the rows and what they leave in free pages."""
    here = {name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    copy.execute("PRAGMA secure_delete=ON")
    for table in LEFT_OUT_TABLES:
        if table in here:
            copy.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
    copy.execute("VACUUM")  # rows that were deleted in the panel before, too


def database_close_doors(path: Path) -> None:
    """Remove from a restored database, before anything reads it, what a backup of ours never holds."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        _without_doors(database)


def database_check(path: Path) -> None:
    """Raises ArchiveDamaged unless it is a whole database of this panel."""
    try:
        with _read_only(path) as database:
            problems = [text for (text,) in database.execute("PRAGMA integrity_check(5)")]
            database.execute("SELECT 1 FROM transcribe_job LIMIT 1")
            database.execute("SELECT 1 FROM django_migrations LIMIT 1")
            code = database.execute("SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view')").fetchone()
    except sqlite3.DatabaseError as error:
        raise ArchiveDamaged(f"The database in it is not one of this panel, or is damaged: {error}.") from error
    if problems != ["ok"]:
        raise ArchiveDamaged(f"The database in it is damaged: {'; '.join(problems)}.")
    if code is not None:
        raise ArchiveDamaged(
            f"The database in it has the {code[0]} {code[1]!r}, which no panel makes. Use another backup."
        )


def database_recordings(path: Path) -> dict[str, str]:
    """Name and SHA-256 of every recording that a job names."""
    with _read_only(path) as database:
        return dict(database.execute("SELECT audio, audio_sha256 FROM transcribe_job WHERE audio <> '' ORDER BY audio"))


def database_migrations(path: Path) -> set[tuple[str, str]]:
    with _read_only(path) as database:
        return set(database.execute("SELECT app, name FROM django_migrations"))


@contextmanager
def _read_only(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        yield database
