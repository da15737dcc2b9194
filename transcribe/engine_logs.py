"""The log of an attempt: where it lies, kept at a bearable size while its engine writes it, and read from a position.

A log that grows too large loses its middle. Beginning and end stay, with a line of fixed length between them that
says how many bytes were left out. Positions count as if nothing had been: who follows a log is not led astray.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from gate.core.incidents.occurrence import Evidence
from transcribe.conf import log_dir
from transcribe.models import Attempt, Job

LOG_NAME = re.compile(r"engine-[0-9]{8}-[0-9]{6}-job-(?P<job>[0-9]{1,18})-attempt-[0-9]{1,9}\.log")
# 10 MB are some hundred thousand lines; an engine in order writes a few kilobytes.
LIMIT_BYTES = 10 * 1024**2
HEAD_BYTES = 2 * 1024**2
TAIL_BYTES = 3 * 1024**2
TOLD_BYTES = 4096  # of a lost engine's last lines
SHOWN_BYTES = 64 * 1024  # at once in a page
_GAP = "\n[… {:015d} bytes of this log were left out here …]\n"
_GAP_BYTES = len(_GAP.format(0).encode())
_GAP_PATTERN = re.compile(r"\n\[… ([0-9]{15}) bytes of this log were left out here …\]\n".encode())
# Colours and cursor movements of a terminal; ECMA-48, control sequences.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-_]")


class AttemptLog:
    """The file in which an engine writes for one attempt; what stood in it before is not the engine's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._begins_at = path.stat().st_size if path.exists() else 0

    def tail(self) -> str:
        """The last lines that were written for this attempt."""
        return log_end(self.path, self._begins_at)


def log_evidence(tail: str, log_name: str) -> Evidence:
    """The end of what an engine wrote, for an incident. `log_name`: the log that is kept with it."""
    return Evidence(title="End of the engine's output", text=tail or "It wrote nothing.", file_name=log_name)


def log_end(path: Path, begins_at: int = 0) -> str:
    """The last lines behind a position; empty where there are none, or the log is gone: nothing hangs on it."""
    try:
        with path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(min(begins_at, size), size - TOLD_BYTES))
            return log.read().decode(errors="replace").strip()
    except OSError:
        return ""


@dataclass(frozen=True, kw_only=True)
class LogPart:
    """`ends_at`: the position to go on from. `skipped_bytes`: left out before the text."""

    text: str
    ends_at: int
    skipped_bytes: int = 0


def log_cap(path: Path, limit_bytes: int = LIMIT_BYTES, head: int = HEAD_BYTES, tail: int = TAIL_BYTES) -> bool:
    """Cut the middle out of a log that is larger than the limit; whether it did.

    The engine goes on writing at its end: its descriptor appends (O_APPEND), so that it needs no word of this. What it
    writes in the moment between reading and cutting is lost.
    """
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        try:
            size = os.fstat(descriptor).st_size
            if size <= limit_bytes:
                return False
            last = os.pread(descriptor, tail, size - tail)
            gap = _gap_bytes(descriptor, head)
            before = head + (_GAP_BYTES if gap else 0)
            dropped = gap + (size - tail - before)
            os.pwrite(descriptor, _GAP.format(dropped).encode() + last, head)
            os.ftruncate(descriptor, head + _GAP_BYTES + tail)
            return True
        finally:
            os.close(descriptor)
    return False


def _gap_bytes(descriptor: int, head: int) -> int:
    found = _GAP_PATTERN.fullmatch(os.pread(descriptor, _GAP_BYTES, head))
    return int(found.group(1)) if found else 0


def log_begin(job: Job) -> AttemptLog:
    """A new log for the job's attempt."""
    return AttemptLog(log_dir() / f"engine-{timezone.now():%Y%m%d-%H%M%S}-job-{job.pk}-attempt-{job.attempt}.log")


def log_path(attempt: Attempt) -> Path | None:
    """The attempt's log, if it is there. While its engine loads the model its name is not stored yet."""
    where = Path(settings.LOG_DIR)
    if LOG_NAME.fullmatch(attempt.log_name):
        names = [where / attempt.log_name]
    else:
        names = sorted(where.glob(f"engine-*-job-{attempt.job_id}-attempt-{attempt.number}.log"))
    found = [path for path in names if path.is_file() and not path.is_symlink()]
    return found[-1] if found else None


def log_read(path: Path, begins_at: int, *, is_complete: bool, head: int = HEAD_BYTES) -> LogPart:
    """From a position to the end of the last whole line (with `is_complete`: to the end), the last 64 KiB at most."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return LogPart(text="", ends_at=begins_at)
    try:
        gap = _gap_bytes(descriptor, head)
        shift = gap - _GAP_BYTES if gap else 0  # position = place in the file + shift, behind the gap
        ends_at = os.fstat(descriptor).st_size + shift
        if begins_at > ends_at:
            begins_at = 0  # not a position of this log
        start = max(begins_at, ends_at - SHOWN_BYTES)
        place = start - shift if start > head and gap else start
        if gap and start > head and place < head + _GAP_BYTES:  # what stood there was cut out
            place, start = head + _GAP_BYTES, head + gap
        data = os.pread(descriptor, SHOWN_BYTES, place)
    finally:
        os.close(descriptor)
    if not is_complete and len(data) < SHOWN_BYTES:
        data = data[: data.rfind(b"\n") + 1]
    return LogPart(text=plain_text(data), ends_at=start + len(data), skipped_bytes=start - begins_at)


def plain_text(data: bytes) -> str:
    """As it can be shown: no colours, no control characters, a progress bar as lines."""
    text = _ESCAPES.sub("", data.decode(errors="replace")).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(char for char in text if char in "\n\t" or char.isprintable())
