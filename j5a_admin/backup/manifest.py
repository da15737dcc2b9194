"""What a backup holds: every file with its size and SHA-256, and what could not be taken along."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from j5a_admin.backup.errors import ArchiveDamaged, BackupFromNewer

FORMAT = 1
MANIFEST_NAME = "manifest.json"
DATABASE_NAME = "j5a.sqlite3"
UPLOADS = "uploads/"
SAMPLE_MARK = ".sample-submitted"  # among the recordings: the sample is not submitted a second time
MANIFEST_LIMIT_BYTES = 64 * 1024**2  # 200 bytes a recording: three hundred thousand of them
# As `upload_keep` and Django's storage name them: no part of a name comes from a user, none begins with a dot.
UPLOAD_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class FileEntry:
    """`name` is that in the archive."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """`missing`: recordings that a job names and that were not there, each with the reason."""

    created_at: str
    host: str
    version: str
    files: tuple[FileEntry, ...]
    missing: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Raises ArchiveDamaged or BackupFromNewer."""
        try:
            values: dict[str, Any] = json.loads(data)
            if (version := values.pop("format")) != FORMAT:
                raise BackupFromNewer(f"This backup has format {version!r}, and this panel reads {FORMAT}: update it.")
            files = tuple(_entry(entry) for entry in values.pop("files"))
            return cls(files=files, missing=tuple(map(_text, values.pop("missing"))), **_texts(values))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ArchiveDamaged("The backup's list of contents cannot be read.") from error

    @property
    def total_bytes(self) -> int:
        return sum(entry.size_bytes for entry in self.files)


def _texts(values: dict[str, Any]) -> dict[str, str]:
    return {name: _text(values[name]) for name in ("created_at", "host", "version")}


def _text(value: Any) -> str:
    """It is shown in a terminal: nothing in it may be a command to one."""
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError(f"not a text: {value!r}")
    return value


def _entry(values: dict[str, Any]) -> FileEntry:
    entry = FileEntry(name=values["name"], size_bytes=values["size_bytes"], sha256=values["sha256"])
    if not isinstance(entry.name, str) or not is_content_name(entry.name):
        raise ValueError(f"not a name: {entry.name!r}")
    if not isinstance(entry.size_bytes, int) or entry.size_bytes < 0 or not _SHA256.fullmatch(entry.sha256):
        raise ValueError(f"not a size or hash: {entry}")
    return entry


def is_content_name(name: str) -> bool:
    """The database, or a plain name directly under uploads/: nothing else is ever written from a backup."""
    return name == DATABASE_NAME or (
        name.startswith(UPLOADS) and UPLOAD_NAME.fullmatch(name.removeprefix(UPLOADS)) is not None
    )
