"""What the lock says about its holder: a PID line for people and old scripts, and a JSON record beside it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

__all__ = ["LockRecord", "MalformedRecord", "encode_record", "parse_pid_line", "parse_record"]

# PID_MAX_LIMIT of 64-bit Linux, include/linux/threads.h.
_MAX_PID = 4 * 1024 * 1024
_PID_LINE = re.compile(rb"[1-9][0-9]{0,6}\s*")


class MalformedRecord(ValueError):
    """The record cannot have been written by us."""


@dataclass(frozen=True, kw_only=True)
class LockRecord:
    """Who holds the lock. `start_ticks` and `boot_id` are what tells a recycled PID from its holder."""

    pid: int
    host: str
    user: str = ""
    command: str = ""
    model: str = ""
    job_ref: str = ""
    since_unix: float = 0.0
    start_ticks: int | None = None  # clock ticks after boot, /proc/PID/stat field 22
    boot_id: str | None = None
    # The lock file's modification time after our PID line: another value means somebody else wrote since.
    line_mtime_ns: int | None = None
    # The holder let go on purpose: with the kernel lock free as well, its live PID holds nothing.
    released: bool = False
    # Whether the holder shows signs of life; a shell script cannot, and is never called hung.
    beats: bool = True
    # `pid` did not take the lock, it inherited it: this one had it before, and was gone or let go.
    named_over_pid: int | None = None

    def bound_to(self, line_mtime_ns: int) -> LockRecord:
        return replace(self, line_mtime_ns=line_mtime_ns)


_TYPES: dict[str, tuple[type, ...]] = {
    "pid": (int,),
    "host": (str,),
    "user": (str,),
    "command": (str,),
    "model": (str,),
    "job_ref": (str,),
    "since_unix": (int, float),
    "start_ticks": (int, type(None)),
    "boot_id": (str, type(None)),
    "line_mtime_ns": (int, type(None)),
    "released": (bool,),
    "beats": (bool,),
    "named_over_pid": (int, type(None)),
}


def parse_pid_line(data: bytes) -> int | None:
    """The PID of a lock file's content; None for anything that is not exactly one plausible decimal PID."""
    if _PID_LINE.fullmatch(data) is None:
        return None
    pid = int(data)
    return pid if pid <= _MAX_PID else None


def encode_record(record: LockRecord) -> bytes:
    text = json.dumps(asdict(record), ensure_ascii=False, indent=1)
    return (text + "\n").encode(errors="replace")  # a name or argument of any bytes must not cost the record


def parse_record(data: bytes) -> LockRecord:
    """Raise MalformedRecord; keys of later versions are passed over."""
    try:
        raw = json.loads(data.decode())
    except (UnicodeDecodeError, ValueError, RecursionError) as problem:
        raise MalformedRecord(f"not JSON: {problem}") from None
    if not isinstance(raw, dict):
        raise MalformedRecord("not a JSON object")
    return _record_from(raw)


def _record_from(raw: dict[str, Any]) -> LockRecord:
    known = {field.name: raw[field.name] for field in fields(LockRecord) if field.name in raw}
    for name, value in known.items():
        is_stray_bool = _TYPES[name] != (bool,) and isinstance(value, bool)  # True is an int to Python
        if is_stray_bool or not isinstance(value, _TYPES[name]):
            raise MalformedRecord(f"{name} is {value!r}")
    if not {"pid", "host"} <= known.keys():
        raise MalformedRecord("pid or host is missing")
    if not 1 <= known["pid"] <= _MAX_PID:
        raise MalformedRecord(f"pid {known['pid']} is impossible")
    return LockRecord(**known)
