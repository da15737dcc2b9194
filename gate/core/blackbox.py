"""The black box: the readings of the last minutes on disk, for the start after a power cut, a freeze or a kill.

Two files of JSON lines take turns. Lines are only ever appended and synced; a file is begun anew when the other is
full, so a torn write costs its own line and the older lines stay readable.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

__all__ = ["BlackBox", "BlackBoxBusy", "Look", "Recording", "Run", "Work", "read_recording"]

# 5 minutes at one look a second in each file: between 5 and 10 minutes are always there.
LINES_IN_A_FILE = 300
# A full file is some 100 KB; a larger one was not written by us.
READ_LIMIT_BYTES = 4 * 1024 * 1024
_NAMES = ("a.jsonl", "b.jsonl")


class BlackBoxBusy(Exception):
    """Another sampler of this data directory writes it."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """Which run of the sampler wrote the lines after it. Stands at the head of each file, with the file's number."""

    host: str
    boot_id: str | None
    pid: int
    started_at: float  # unix seconds


@dataclass(frozen=True, kw_only=True)
class Look:
    """One look at the machine. Empty values were not readable; `work` (job and chunk) and `lock` are in words."""

    at: float  # unix seconds
    celsius: float | None = None
    sensor: str = ""
    available_bytes: int | None = None
    swap_used_bytes: int | None = None
    load1: float | None = None
    job_ref: str = ""
    work: str = ""
    lock: str = ""


@dataclass(frozen=True, kw_only=True)
class Work:
    """The running job and chunk, in words; empty when nothing runs."""

    job_ref: str = ""
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What the last run left: its looks, oldest first, and whether it ended in order."""

    run: Run
    looks: tuple[Look, ...]
    is_clean: bool

    @property
    def last_at(self) -> float:
        return self.looks[-1].at if self.looks else self.run.started_at


class BlackBox:
    """Writes one run. Only one at a time for a directory: raises BlackBoxBusy. All methods may raise OSError."""

    def __init__(self, directory: Path, run: Run, *, lines_in_a_file: int = LINES_IN_A_FILE) -> None:
        self._directory = directory
        self._run = run
        self._lines_in_a_file = lines_in_a_file
        self._claim = os.open(directory / "claim", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._claim)
            raise BlackBoxBusy(f"another sampler writes {directory}") from None
        self.previous = read_recording(directory)
        parts = [_read_part(directory / name) for name in _NAMES]
        numbers = [0 if part is None else part.number for part in parts]
        self._turn = numbers.index(min(numbers))  # one that cannot be read, else the older one
        self._number = max(numbers)
        self._file: int | None = None
        self._lines = 0

    def begin(self) -> None:
        """Begin to write, over the older file. Call it when `previous` has been dealt with."""
        self._next_file()

    def write(self, looks: Iterable[Look]) -> None:
        """Append the looks and wait until they are on the disk."""
        lines = [_line({"look": asdict(look)}) for look in looks]
        if self._file is None or self._lines + len(lines) > self._lines_in_a_file:
            self._next_file()
        self._append(b"".join(lines))
        self._lines += len(lines)

    def close(self) -> None:
        """Leave the mark of an end in order."""
        if self._file is not None:
            self._append(_line({"end": True}))
            os.close(self._file)
            self._file = None
        os.close(self._claim)

    def _next_file(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
        path = self._directory / _NAMES[self._turn]
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o600)
        self._turn = 1 - self._turn
        self._lines = 0
        self._number += 1
        self._append(_line({"run": asdict(self._run), "number": self._number}))
        directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _append(self, data: bytes) -> None:
        assert self._file is not None  # noqa: S101 - begun
        while data:  # a full disk may take a part
            data = data[os.write(self._file, data) :]
        os.fsync(self._file)


def read_recording(directory: Path) -> Recording | None:
    """What the last run left; None where none can be read. Whatever the files hold, it raises nothing.

    The files' numbers say which is newer: the clock may have been wrong, or set, in between.
    """
    found = [part for name in _NAMES if (part := _read_part(directory / name)) is not None]
    if not found:
        return None
    found.sort(key=lambda part: part.number)
    same = [part for part in found if part.run == found[-1].run]
    looks = tuple(look for part in same for look in part.looks)
    return Recording(run=found[-1].run, looks=looks, is_clean=found[-1].is_clean)


@dataclass(frozen=True, kw_only=True)
class _Part:
    """What one file holds."""

    number: int
    run: Run
    looks: tuple[Look, ...]
    is_clean: bool


def _read_part(path: Path) -> _Part | None:
    """One file: its run, and the looks whose lines are whole."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        data = os.read(descriptor, READ_LIMIT_BYTES)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return _parsed(data)


def _parsed(data: bytes) -> _Part | None:
    head, *lines = data.split(b"\n")[:-1] or [b""]  # what follows the last newline was torn
    first = _fields(head)
    run, number = _built(Run, first.get("run")), first.get("number")
    if run is None or type(number) is not int:
        return None
    looks: list[Look] = []
    is_clean = False
    for line in lines:
        raw = _fields(line)
        if (look := _built(Look, raw.get("look"))) is not None:
            looks.append(look)
        elif raw.get("end") is True:
            is_clean = True  # any other line was torn: by a disk that was full for a while, or the last one
    return _Part(number=number, run=run, looks=tuple(looks), is_clean=is_clean)


def _line(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _fields(line: bytes) -> dict[str, Any]:
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return raw if isinstance(raw, dict) else {}


_T = TypeVar("_T", Run, Look)
_NUMBERS = {"at", "started_at", "celsius", "available_bytes", "swap_used_bytes", "load1", "pid"}
_NEEDED = {"at", "started_at", "pid"}
_MOMENTS = {"at", "started_at"}
_LAST_MOMENT = 4_102_444_800.0  # the year 2100: what is beyond was not written by a clock, and no calendar may take it
_MOST = 2.0**63  # bytes, degrees, a load


def _built(kind: type[_T], raw: Any) -> _T | None:
    """None for anything that `_line` did not write; keys of later versions are passed over."""
    if not isinstance(raw, dict):
        return None
    known = {field.name: raw[field.name] for field in fields(kind) if field.name in raw}
    if not all(_is_sound(name, value) for name, value in known.items()):
        return None
    try:
        return kind(**known)
    except TypeError:
        return None


def _is_sound(name: str, value: Any) -> bool:
    if value is None:
        return name not in _NEEDED | {"host", "sensor", "job_ref", "work", "lock"}
    if name in _NUMBERS:
        highest = _LAST_MOMENT if name in _MOMENTS else _MOST
        return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= highest
    return isinstance(value, str)
