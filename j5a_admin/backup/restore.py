"""Put a backup into an empty data directory: checked and brought up to date in a folder of it, then renamed."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations.loader import MigrationLoader

from gate.core.units import bytes_text
from j5a_admin.backup.errors import ArchiveDamaged, BackupError, BackupFromNewer, DataInTheWay, disk_told
from j5a_admin.backup.manifest import DATABASE_NAME, SAMPLE_MARK, UPLOADS, Manifest
from j5a_admin.backup.read import archive_read, require_readable
from j5a_admin.backup.snapshot import database_check, database_close_doors, database_migrations, database_recordings
from j5a_admin.claims import STAGING, data_alone, require_whole
from transcribe.services.claims import jobs_take_back
from transcribe.services.queue_control import queue_rules_take_over

Say = Callable[[str], None]
# The database and what SQLite keeps beside it.
DATABASE_FILES = (DATABASE_NAME, *(f"{DATABASE_NAME}-{end}" for end in ("wal", "shm", "journal")))


def restore(path: Path, say: Say) -> Manifest:
    """Restore the backup `path` into an empty data directory; its database is put in place last.

    Raises:
        BackupError: with the cause; nothing that could start is left behind.
        DataUnusable: other programs use the directory.
    """
    data_dir = Path(settings.DATA_DIR)
    with data_alone(data_dir):
        require_readable(path)
        _require_empty(data_dir)
        _space_check(path, data_dir)
        with disk_told("The backup could not be restored", data_dir):
            with _staging(data_dir) as staging:
                manifest = _fill(path, staging, say)
            _put_in_place(staging, data_dir)
    return manifest


def _fill(path: Path, staging: Path, say: Say) -> Manifest:
    manifest = archive_read(path, into=staging)
    _examine(staging / DATABASE_NAME, manifest)
    say("The backup is whole. Bringing its database up to date …")
    if _bring_up_to_date(staging / DATABASE_NAME, manifest.host):
        say(f"The hours and a pause of the queue, set on {manifest.host}, apply here now.")
    (staging / UPLOADS / SAMPLE_MARK).touch()
    return manifest


@contextmanager
def _staging(data_dir: Path) -> Iterator[Path]:
    """A folder on the data's own disk; on a failure nothing half-written stays."""
    staging = data_dir / STAGING
    staging.mkdir(mode=0o700)
    try:
        (staging / UPLOADS).mkdir(mode=0o700)
        yield staging
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _put_in_place(staging: Path, data_dir: Path) -> None:
    """Only renames. Until the last of them there is no database, and every start says so (`require_whole`)."""
    uploads = data_dir / UPLOADS
    uploads.mkdir(mode=0o700, exist_ok=True)
    _sync_directory(staging)
    for recording in (staging / UPLOADS).iterdir():
        recording.rename(uploads / recording.name)
    _sync_directory(uploads)
    (staging / DATABASE_NAME).rename(data_dir / DATABASE_NAME)
    _sync_directory(data_dir)
    shutil.rmtree(staging)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _require_empty(data_dir: Path) -> None:
    """Folders that every command makes, and the keys of this machine, are not data."""
    require_whole(data_dir)
    uploads = data_dir / UPLOADS
    recordings = [path for path in uploads.iterdir() if path.name != "incoming"] if uploads.is_dir() else []
    here = [data_dir / name for name in (*DATABASE_FILES, STAGING) if os.path.lexists(data_dir / name)]
    if found := here + recordings:
        raise DataInTheWay(
            f"{data_dir} has data already ({found[0].relative_to(data_dir)}), and nothing was changed. A restore takes "
            "an empty directory: move this one aside first (mv), or name another with J5A_DATA_DIR."
        )


def _space_check(path: Path, data_dir: Path) -> None:
    with disk_told("The backup cannot be read", path):
        needed_bytes = path.stat().st_size
    free_bytes = shutil.disk_usage(data_dir).free
    if needed_bytes + settings.DISK_RESERVE_BYTES > free_bytes:
        raise BackupError(
            f"The backup needs {bytes_text(needed_bytes)}, and {data_dir} has {bytes_text(free_bytes)} free, of which "
            f"{bytes_text(settings.DISK_RESERVE_BYTES)} are kept in reserve. Free some space; nothing was changed."
        )


def _examine(database: Path, manifest: Manifest) -> None:
    """Whole, of this version or an older one, and with every recording that is not told to be missing."""
    database_check(database)
    loader = MigrationLoader(None, ignore_no_migrations=True)
    known = set(loader.disk_migrations) | {key for m in loader.disk_migrations.values() for key in m.replaces}
    ours = {app for app, _ in known}
    if newer := sorted(key for key in database_migrations(database) if key not in known and key[0] in ours):
        raise BackupFromNewer(
            f"This backup was made by a newer version of the panel (its database has {'.'.join(newer[-1])}). "
            "Update the panel, then restore. Nothing was changed."
        )
    there = {entry.name for entry in manifest.files} | {f"{UPLOADS}{text.split(':')[0]}" for text in manifest.missing}
    if lost := sorted(f"{UPLOADS}{name}" for name in database_recordings(database) if f"{UPLOADS}{name}" not in there):
        raise ArchiveDamaged(f"The backup lacks a recording that its database names: {lost[0]}. Use another backup.")


def _bring_up_to_date(database: Path, host: str) -> bool:
    """Migrate, and queue again what was running when the backup was made: its process is long gone.

    Whether the rules of the queue of `host`, another machine, were taken over.
    """
    with _connected_to(database), _database_told():
        database_close_doors(database)
        call_command("migrate", interactive=False, verbosity=0)
        for model in apps.get_models():  # what it says of itself is not what it has
            model._base_manager.order_by().first()
        jobs_take_back("it was running when the backup was made; finished chunks are kept")
        taken_over = queue_rules_take_over(host)
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for beside in DATABASE_FILES[1:]:
        (database.parent / beside).unlink(missing_ok=True)
    database.chmod(0o600)
    descriptor = os.open(database, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return taken_over


@contextmanager
def _database_told() -> Iterator[None]:
    try:
        yield
    except (DatabaseError, sqlite3.Error) as error:
        raise BackupError(
            f"The backup's database could not be brought up to date: {error}. Nothing was changed. "
            "Free some space if the disk is full; otherwise use another backup."
        ) from error


@contextmanager
def _connected_to(database: Path) -> Iterator[None]:
    connection = connections[DEFAULT_DB_ALIAS]
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = str(database)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before
