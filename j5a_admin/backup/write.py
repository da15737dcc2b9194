"""Write a backup: the database first, then every recording that it names; renamed into place when it is whole."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import re
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from j5a_admin.backup.errors import BackupError, disk_told
from j5a_admin.backup.manifest import DATABASE_NAME, MANIFEST_NAME, UPLOADS, FileEntry, Manifest, is_content_name
from j5a_admin.backup.read import archive_read
from j5a_admin.backup.snapshot import database_recordings, database_snapshot
from j5a_admin.version import VERSION

FILE_MODE = 0o600  # transcripts and recordings: for the owner only
PARTIAL = ".partial"
# As `_partial` names them, with what SQLite keeps beside the database.
_LEFTOVER = re.compile(r"\..+\.[0-9]+\.partial\.(tar|sqlite3(-journal|-wal|-shm)?)")
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Written:
    path: Path
    manifest: Manifest
    size_bytes: int


def backup_write(where: Path, say: Say) -> Written:
    """Write a backup to the file `where`, or into the folder `where` under a name of its own.

    Raises:
        BackupError: with the cause; nothing is left behind.
    """
    target = _target(where)
    with disk_told("The backup could not be written", target), ExitStack() as stack:
        _sweep(target.parent)
        database = stack.enter_context(_partial(target, ".sqlite3"))
        database_snapshot(Path(str(settings.DATABASES["default"]["NAME"])), database.path)
        partial = stack.enter_context(_partial(target, ".tar"))
        manifest = _fill(partial.file, database.path, say)
        _to_disk(partial.file)
        archive_read(partial.path)
        _into_place(partial.path, target)
        _sync_directory(target.parent)
    return Written(path=target, manifest=manifest, size_bytes=target.stat().st_size)


def _target(where: Path) -> Path:
    path = where.absolute()
    if path.is_dir():
        path = path / f"j5a-backup-{datetime.now(UTC):%Y%m%d-%H%M%S}.tar"
    if os.path.lexists(path):
        raise BackupError(f"{path} exists already. Name another file, or a folder: it gets a name with the time then.")
    if not path.parent.is_dir():
        raise BackupError(f"{path.parent} is not a folder. Make it first, or mount the disk that it is on.")
    return path


@dataclass(frozen=True)
class _Partial:
    path: Path
    file: BinaryIO


@contextmanager
def _partial(target: Path, suffix: str) -> Iterator[_Partial]:
    """A file of ours beside the target, locked while it is open and removed at the end."""
    path = target.with_name(f".{target.name}.{os.getpid()}{PARTIAL}{suffix}")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            with suppress(OSError):  # some network disks have no locks
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield _Partial(path=path, file=file)
    finally:
        for beside in ("", "-journal", "-wal", "-shm"):
            path.with_name(path.name + beside).unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """Remove what a killed backup left; one that is being written is locked, and stays. Other programs' files, too."""
    for path in folder.iterdir():
        if _LEFTOVER.fullmatch(path.name) is None:
            continue
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()


def _fill(file: BinaryIO, database: Path, say: Say) -> Manifest:
    entries: list[FileEntry] = []
    missing: list[str] = []
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        with database.open("rb") as copy:
            entries.append(_add(archive, copy, DATABASE_NAME))
        for name, sha256 in database_recordings(database).items():
            entry, problem = _add_recording(archive, name)
            if entry is not None and entry.sha256 != sha256:
                say(f"Warning: the recording {name} is not what was uploaded; it is in the backup as it is.")
            if entry is not None:
                entries.append(entry)
            if problem:
                missing.append(f"{name}: {problem}")
                say(f"Warning: the recording {name} is not in the backup: {problem}.")
        manifest = Manifest(
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            host=settings.HOST_ID,
            version=VERSION,
            files=tuple(entries),
            missing=tuple(missing),
        )
        data = manifest.to_bytes()
        archive.addfile(_info(MANIFEST_NAME, len(data)), io.BytesIO(data))
    return manifest


def _add_recording(archive: tarfile.TarFile, name: str) -> tuple[FileEntry | None, str]:
    """Its entry, or why there is none: a job may be deleted while the backup runs."""
    if not is_content_name(UPLOADS + name):
        return None, "its name is not one that the panel gives"
    try:
        descriptor = os.open(Path(settings.MEDIA_ROOT) / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None, "it is not there (any more)"
    except OSError as error:
        return None, str(error.strerror)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None, "it is not a plain file"
        return _add(archive, file, UPLOADS + name), ""


def _add(archive: tarfile.TarFile, source: BinaryIO, name: str) -> FileEntry:
    reader = _Hashing(source)
    size_bytes = os.fstat(source.fileno()).st_size
    archive.addfile(_info(name, size_bytes), reader)
    return FileEntry(name=name, size_bytes=size_bytes, sha256=reader.digest.hexdigest())


def _info(name: str, size_bytes: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size_bytes, FILE_MODE, int(datetime.now(UTC).timestamp())
    return info


def _into_place(partial: Path, target: Path) -> None:
    try:
        os.link(partial, target)  # not over a file that came meanwhile
    except FileExistsError:
        raise
    except OSError:  # a stick formatted as FAT knows no links
        partial.rename(target)


def _to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
    if hasattr(os, "posix_fadvise"):  # what is read again comes from the disk then, not from memory
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


class _Hashing:
    """Reads and hashes what was read."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.digest.update(data)
        return data


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
