"""Put a backup into the data directory: checked and brought up to date beside what is there, then renamed in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations.loader import MigrationLoader

from gate.core.units import bytes_text
from j5a_admin.backup.claims import nobody_uses
from j5a_admin.backup.errors import ArchiveDamaged, BackupError, BackupFromNewer, DataInTheWay, disk_told
from j5a_admin.backup.manifest import DATABASE_NAME, UPLOADS, Manifest
from j5a_admin.backup.read import archive_read, require_readable
from j5a_admin.backup.snapshot import database_check, database_close_doors, database_migrations, database_recordings
from j5a_admin.backup.swap import (
    OLD_DATABASE,
    STAGING,
    UPLOADS_DIR,
    staging_begin,
    swap_decide,
    swap_finish,
    swap_is_decided,
)
from transcribe.services.claims import jobs_take_back
from transcribe.services.queue_control import queue_rules_take_over

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Restored:
    """`aside`: the folder with what was there before; None when there was nothing."""

    manifest: Manifest
    aside: Path | None


def restore(path: Path, *, replace: bool, say: Say) -> Restored:
    """Restore the backup `path`.

    Raises:
        BackupError: with the cause; what was there is untouched.
    """
    data_dir, database = Path(settings.DATA_DIR), _database_path()
    with nobody_uses(data_dir, database):
        restore_finish(say)
        has_data = _has_data(data_dir)
        require_readable(path)
        if has_data and not replace:
            raise DataInTheWay(
                f"{data_dir} has data already, and nothing was changed. With --replace it is set aside (not deleted) "
                "and the backup takes its place; or restore into another folder with J5A_DATA_DIR."
            )
        _space_check(path, data_dir)
        with disk_told("The backup could not be restored; what was there is untouched", data_dir), _tidy(data_dir):
            staging = staging_begin(data_dir)
            manifest = archive_read(path, into=staging)
            _examine(staging / DATABASE_NAME, manifest)
            database_close_doors(staging / DATABASE_NAME)
            say("The backup is whole. Bringing its database up to date …")
            if _bring_up_to_date(staging / DATABASE_NAME, manifest.host):
                say(f"The hours and a pause of the queue, set on {manifest.host}, apply here now.")
            (staging / UPLOADS_DIR / ".sample-submitted").touch()
            swap_decide(data_dir)
        aside = swap_finish(data_dir)
    if not has_data:
        shutil.rmtree(aside)  # an empty uploads folder
    return Restored(manifest=manifest, aside=aside if has_data else None)


def restore_finish(say: Say) -> None:
    """Complete a restore that was interrupted between its renames. Hold the panel's claim."""
    data_dir = Path(settings.DATA_DIR)
    if swap_is_decided(data_dir):
        aside = swap_finish(data_dir)
        say(f"A restore that was interrupted is complete now; what was there before is in {aside}.")


@contextmanager
def _tidy(data_dir: Path) -> Iterator[None]:
    """On a failure nothing half-written stays."""
    try:
        yield
    except BaseException:
        if not swap_is_decided(data_dir):
            shutil.rmtree(data_dir / STAGING, ignore_errors=True)
        raise


def _database_path() -> Path:
    return Path(str(settings.DATABASES[DEFAULT_DB_ALIAS]["NAME"]))


def _has_data(data_dir: Path) -> bool:
    """A database, or a recording. Folders that every command makes are not data."""
    uploads = data_dir / UPLOADS_DIR
    recordings = [path for path in uploads.iterdir() if path.name != "incoming"] if uploads.is_dir() else []
    return bool(recordings) or any((data_dir / name).exists() for name in OLD_DATABASE)


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
        call_command("migrate", interactive=False, verbosity=0)
        for model in apps.get_models():  # what it says of itself is not what it has
            model._base_manager.order_by().first()
        jobs_take_back("it was running when the backup was made; finished chunks are kept")
        taken_over = queue_rules_take_over(host)
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for beside in OLD_DATABASE[:-1]:
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
    except DatabaseError as error:
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
