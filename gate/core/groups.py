"""End a process group: asked, given time, then by force; what is left is said, not assumed."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass

from gate.core.identity import group_members

__all__ = ["GroupEnd", "group_end", "group_left_after"]

_TERM_SECONDS = 10.0
_KILL_SECONDS = 5.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class GroupEnd:
    """`left`: members that still run, after SIGKILL too."""

    by_force: bool
    left: tuple[int, ...] = ()


def group_end(group: int, *, term_seconds: float = _TERM_SECONDS) -> GroupEnd:
    """SIGTERM, ten seconds, SIGKILL, five; returns as soon as none of it runs any more."""
    left: tuple[int, ...] = ()
    for number, seconds in ((signal.SIGTERM, term_seconds), (signal.SIGKILL, _KILL_SECONDS)):
        with suppress(ProcessLookupError, PermissionError):  # what runs as another user is left, and said
            os.killpg(group, number)
            os.killpg(group, signal.SIGCONT)  # a paused process obeys when it goes on
        left = group_left_after(group, seconds)
        if not left:
            return GroupEnd(by_force=number is signal.SIGKILL)
    return GroupEnd(by_force=True, left=left)


def group_left_after(group: int, seconds: float) -> tuple[int, ...]:
    """Members that still run when the time is over; returns as soon as there is none."""
    deadline = time.monotonic() + seconds
    while (left := group_members(group)) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return left
