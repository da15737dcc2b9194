"""The journal of one chunk: what the model has answered so far, kept in a file that may be cut at any byte.

    record = length of the payload (4 bytes, big-endian), BLAKE2b of the payload (16 bytes), payload (JSON)

The first record is the header, every other one an entry: [key, value]. A file is read up to its last whole record;
what follows is dropped before anything is written. Each record is on the disk before `append` returns.

Pure Python: no torch, no Django.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

FORMAT = 1  # part of the header: a file of another format is not used
LENGTH = struct.Struct(">I")
DIGEST_BYTES = 16
FRAME_BYTES = LENGTH.size + DIGEST_BYTES


class Journal:
    """An open journal. `taken_over`: the entries an earlier run left, by key."""

    def __init__(self, descriptor: int, taken_over: dict[str, Any]) -> None:
        self._descriptor = descriptor
        self.taken_over = taken_over

    def append(self, key: str, value: Any) -> None:
        """Write an entry through to the disk.

        Raises:
            OSError: it is not there, or not whole. Close the journal then; the next run drops what is not whole.
        """
        _write(self._descriptor, frame([key, value]))

    def close(self) -> None:
        os.close(self._descriptor)


def open_journal(path: Path, header: dict[str, Any], *, tell: Callable[[str], None]) -> Journal:
    """The journal at `path`, made when it is not there; one with another header is emptied, which `tell` is told.

    Raises:
        OSError: it cannot be read or written.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        return Journal(descriptor, _take_over(descriptor, path, header, tell))
    except BaseException:
        os.close(descriptor)
        raise


def _take_over(descriptor: int, path: Path, header: dict[str, Any], tell: Callable[[str], None]) -> dict[str, Any]:
    """The entries of the open file, which afterwards ends with a whole record."""
    header = json.loads(json.dumps(header))  # as it comes back from a file
    records, whole_bytes = read_records(_read(descriptor))
    if records and records[0] == header:
        os.ftruncate(descriptor, whole_bytes)
        return dict(records[1:])
    if records:
        tell(f"{path.name} was written for something else ({_differences(records[0], header)}) and is not used.")
    os.ftruncate(descriptor, 0)
    _write(descriptor, frame(header))
    _flush_directory(path.parent)
    return {}


def kept_values(path: Path) -> list[Any]:
    """The values of the whole entries of the journal at `path`; none where it is not there or cannot be read."""
    try:
        records, _ = read_records(path.read_bytes())
    except OSError:
        return []
    return [value for _, value in records[1:]]


def frame(value: Any) -> bytes:
    payload = json.dumps(value, separators=(",", ":")).encode()
    return LENGTH.pack(len(payload)) + _digest(payload) + payload


def read_records(data: bytes) -> tuple[list[Any], int]:
    """The values of the whole records at the beginning of `data`, and how many bytes they take."""
    values: list[Any] = []
    at = 0
    while len(data) - at > FRAME_BYTES:
        (length,) = LENGTH.unpack_from(data, at)
        begin, end = at + FRAME_BYTES, at + FRAME_BYTES + length
        payload = data[begin:end]
        if len(payload) < length or _digest(payload) != data[at + LENGTH.size : begin]:
            break
        values.append(json.loads(payload))
        at = end
    return values, at


def _digest(payload: bytes) -> bytes:
    return blake2b(payload, digest_size=DIGEST_BYTES).digest()


def _differences(found: Any, header: dict[str, Any]) -> str:
    if not isinstance(found, dict):
        return "no header"
    names = [name for name in sorted({*found, *header}) if found.get(name) != header.get(name)]
    return "another " + ", ".join(names)


def _read(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(os.dup(descriptor), "rb") as file:
        return file.read()


def _write(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
    os.fsync(descriptor)


def _flush_directory(path: Path) -> None:
    """So that the new file's name outlives a power cut, too."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
