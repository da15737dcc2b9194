"""`python -m gate.core.guardian`: beside a `gate run`, to end the command's whole group if that is killed.

It reads what it is told through a pipe until the pipe ends: with "done" all is well. Without, `gate run` is
dead, and nobody else would watch or end what it started. It has the lock's descriptor, so the lock lasts until
the last of the group is gone; without site packages and Django it needs about 9 MB of its own.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from gate.core.errors import LockError
from gate.core.groups import group_end
from gate.core.heldlock import HeldLock
from gate.core.identity import group_members, with_process
from gate.core.lockstore import LockStore

__all__ = ["DONE", "group_word"]

DONE = b"done\n"
_POLL_SECONDS = 0.2
_HEARTBEAT_SECONDS = 5.0


def group_word(group: int) -> bytes:
    """What the command says about itself before it becomes what it shall run."""
    return b"group %d\n" % group


def main(arguments: list[str]) -> None:
    """`arguments`: the lock's path, its descriptor, the pipe's descriptor, the PID of `gate run`."""
    path, (lock, pipe, runner) = Path(arguments[0]), map(int, arguments[1:])
    words = _hear_until_end(pipe)
    if DONE.strip() in words:
        return
    groups = [int(word.split()[1]) for word in words if word.startswith(b"group ")]
    held = _take_over(path, lock, known_pids={*groups, runner, os.getpid()})
    for group in groups[-1:]:
        _end(group, held)
    if held is not None:
        held.release()  # names what left the group and keeps the lock


def _hear_until_end(pipe: int) -> list[bytes]:
    """Every word that was said. The pipe ends with `gate run`, at the latest when the command has begun."""
    heard = b""
    while part := os.read(pipe, 4096):
        heard += part
    return heard.splitlines()


def _take_over(path: Path, descriptor: int, *, known_pids: set[int]) -> HeldLock | None:
    """Be the holder for everybody who reads the PID line; None where the line is not one of ours any more."""
    store = LockStore(path)
    with suppress(LockError, OSError):
        with store.directory() as directory:
            contents = store.read(directory, descriptor)
        # `gate run` may have been killed between line and record: then the record names another of ours.
        if contents.record is None or contents.pid is None or contents.pid not in known_pids:
            return None
        held = HeldLock(store, descriptor, replace(contents.record, pid=contents.pid), None)
        held.update(replace(with_process(held.record, os.getpid()), command=contents.record.command))
        return held
    return None


def _end(group: int, held: HeldLock | None) -> None:
    """Gently, then by force; what cannot be ended (another user's, or stuck in the kernel) is waited for."""
    if group_members(group):
        group_end(group)
    beat_at = time.monotonic()
    while group_members(group):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
        if held is not None and time.monotonic() - beat_at >= _HEARTBEAT_SECONDS:
            beat_at = time.monotonic()
            with suppress(LockError, OSError):
                held.heartbeat()
        time.sleep(_POLL_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1:])
    os._exit(0)
