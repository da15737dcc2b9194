"""SHA-256 of large files: streamed, and remembered so that 3 GB are not read again for every job."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

# Large enough that hashing, not reading, is the work; small enough to ask `should_stop` several times a
# second.
READ_BYTES = 1 << 20
# Hashed in a tenth of a second (about 1 GB/s here): not worth a file beside it.
WORTH_REMEMBERING_BYTES = 100 << 20
STAMP_SUFFIX = ".verified.json"


class HashingStopped(Exception):
    """`should_stop` said so."""


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """What a file looked like when it was hashed. Any write changes its time, any swap its inode."""

    size_bytes: int
    modified_ns: int
    inode: int
    sha256: str


def file_sha256(path: Path, *, should_stop: Callable[[], bool] | None = None) -> str:
    """Return the hex digest; reads 1 MiB at a time. Raises OSError, HashingStopped."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            if should_stop is not None and should_stop():
                raise HashingStopped
            digest.update(block)
    return digest.hexdigest()


def file_sha256_cached(path: Path, *, should_stop: Callable[[], bool] | None = None) -> str:
    """Return the hex digest, from the stamp beside the file when that still fits. Raises as file_sha256 does.

    The stamp is a convenience: a folder that cannot be written just means hashing again.
    """
    remembered = _read_stamp(path)
    if remembered is not None and remembered == _stamp_now(path, remembered.sha256):
        return remembered.sha256
    before = _stamp_now(path, "")
    sha256 = file_sha256(path, should_stop=should_stop)
    # A file that is being written while it is hashed has no hash worth keeping.
    if before.size_bytes >= WORTH_REMEMBERING_BYTES and before == _stamp_now(path, ""):
        remember_sha256(path, sha256)
    return sha256


def remember_sha256(path: Path, sha256: str) -> None:
    """Write the stamp of a file just hashed."""
    stamp_path = _stamp_path(path)
    temporary = stamp_path.with_name(f"{stamp_path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        temporary.write_text(json.dumps(asdict(_stamp_now(path, sha256))) + "\n", encoding="ascii")
        temporary.replace(stamp_path)


def forget_sha256(path: Path) -> None:
    _stamp_path(path).unlink(missing_ok=True)


def _stamp_path(path: Path) -> Path:
    return path.with_name(f"{path.name}{STAMP_SUFFIX}")


def _stamp_now(path: Path, sha256: str) -> Stamp:
    status = path.stat()
    return Stamp(size_bytes=status.st_size, modified_ns=status.st_mtime_ns, inode=status.st_ino, sha256=sha256)


def _read_stamp(path: Path) -> Stamp | None:
    """The stamp, or None when there is none or it is not one (written by hand, by another version)."""
    try:
        return Stamp(**json.loads(_stamp_path(path).read_text(encoding="ascii")))
    except (OSError, ValueError, TypeError):
        return None


__all__ = [
    "HashingStopped",
    "Stamp",
    "file_sha256",
    "file_sha256_cached",
    "forget_sha256",
    "remember_sha256",
]
