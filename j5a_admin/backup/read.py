"""Read a backup. Nothing in it is believed: not its names, not its kinds of entries, not its sizes."""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, BinaryIO

from j5a_admin.backup.errors import ArchiveDamaged, BackupError
from j5a_admin.backup.manifest import (
    DATABASE_NAME,
    MANIFEST_LIMIT_BYTES,
    MANIFEST_NAME,
    FileEntry,
    Manifest,
    is_content_name,
)

COPY_BYTES = 1024 * 1024


def archive_read(path: Path, into: Path | None = None) -> Manifest:
    """Check every byte of the backup; with `into`, an empty folder, write its files there meanwhile.

    Raises:
        ArchiveDamaged: an entry is not what a backup may hold, or not what its manifest says.
        BackupError: the file cannot be read.
        OSError: the files cannot be written.
    """
    found: dict[str, FileEntry] = {}
    manifest: Manifest | None = None
    with _opened(path) as archive:
        for member in archive:
            name = _plain_name(member)
            if name in found or manifest is not None:
                raise ArchiveDamaged(f"{path} holds {name} where nothing more may come.")
            source = archive.extractfile(member)
            assert source is not None  # noqa: S101 - it is a plain file
            if name == MANIFEST_NAME:
                manifest = Manifest.from_bytes(_whole(source, member))
            else:
                found[name] = _copy(source, member, None if into is None else into / name)
    if manifest is None:
        raise ArchiveDamaged(f"{path} ends before its list of contents: the backup was cut off.")
    _compare(path, manifest, found)
    return manifest


def _compare(path: Path, manifest: Manifest, found: dict[str, FileEntry]) -> None:
    promised = {entry.name: entry for entry in manifest.files}
    for name in sorted(promised.keys() | found.keys()):
        if promised.get(name) != found.get(name):
            raise ArchiveDamaged(f"{path} is damaged: {name} is not as its list of contents says. Use another backup.")
    if DATABASE_NAME not in promised or len(promised) != len(manifest.files):
        raise ArchiveDamaged(f"{path} is no backup of this panel: its list of contents makes no sense.")


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file, tarfile.open(fileobj=file, mode="r:") as archive:
            yield archive
    except tarfile.TarError as error:
        raise ArchiveDamaged(f"{path} is not a whole backup: {error}.") from error
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        if isinstance(error.filename, str) and Path(error.filename) != path:  # a folder is told by its descriptor
            raise
        raise BackupError(f"{path} cannot be read: {error.strerror}. Give the path of a backup file.") from error


def require_readable(path: Path) -> None:
    """Raises BackupError where there is no file that could be a backup, before anything else is said about it."""
    with _opened(path):
        pass


def _plain_name(member: tarfile.TarInfo) -> str:
    """Raises ArchiveDamaged for links, devices, folders, holes, and every name that a backup does not give."""
    if not member.isreg() or member.issparse():
        raise ArchiveDamaged(
            f"The backup holds {member.name!r}, which is not a plain file. It was not made by this panel."
        )
    if member.name != MANIFEST_NAME and not is_content_name(member.name):
        raise ArchiveDamaged(f"The backup holds {member.name!r}, which is no name of a backup's. Nothing was written.")
    return member.name


def _whole(source: IO[bytes], member: tarfile.TarInfo) -> bytes:
    if member.size > MANIFEST_LIMIT_BYTES:
        raise ArchiveDamaged("The backup's list of contents is larger than any list can be.")
    return source.read()


def _copy(source: IO[bytes], member: tarfile.TarInfo, target: Path | None) -> FileEntry:
    digest, size_bytes = hashlib.sha256(), 0
    with nullcontext() if target is None else _created(target) as file:
        while block := source.read(COPY_BYTES):
            digest.update(block)
            size_bytes += len(block)
            if file is not None:
                file.write(block)
        if file is not None:
            file.flush()
            os.fsync(file.fileno())
    if size_bytes != member.size:
        raise ArchiveDamaged(f"{member.name} is cut off in the backup.")
    return FileEntry(name=member.name, size_bytes=size_bytes, sha256=digest.hexdigest())


def _created(target: Path) -> BinaryIO:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    return os.fdopen(descriptor, "wb")
