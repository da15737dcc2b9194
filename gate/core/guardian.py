"""`python -m gate.core.guardian`: beside a `gate run`, to end the command's whole group if that is killed.

It reads what it is told through a pipe until the pipe ends: with "done" all is well. Without, `gate run` is
dead, and nobody else would watch or end what it started. It has the lock's descriptor, so the lock lasts until
the last of the group is gone; without site packages and Django it needs about 9 MB of its own.
"""

from __future__ import annotations

import os
import select
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
from gate.core.records import parse_pid_line

__all__ = ["DONE", "group_word"]

DONE = b"done\n"
_POLL_SECONDS = 0.2
_TERM_SECONDS = 10.0
_ASKED_TERM_SECONDS = 5.0  # whoever stops the holder kills it after ten, and may not come before us
_HEARTBEAT_SECONDS = 5.0


def group_word(group: int) -> bytes:
    """What the command says about itself before it becomes what it shall run."""
    return b"group %d\n" % group


class _Asked(Exception):
    """SIGTERM, while the lock's line names us: meant for the holder, so for what is left of the group."""


def main(arguments: list[str]) -> None:
    """`arguments`: the lock's path, its descriptor, the pipe's descriptor, the PID of `gate run`."""
    path, (lock, pipe, runner) = Path(arguments[0]), map(int, arguments[1:])
    heard: list[bytes] = []
    signal.signal(signal.SIGTERM, lambda *_: _raise_if_holder(lock))
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])  # blocked since before this program began
        _hear_until_end(pipe, heard)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    except _Asked:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if select.select([pipe], [], [], 0)[0]:  # it may have come before the first word was read
            heard.append(os.read(pipe, 4096))
        _end(_group(heard), None, term_seconds=_ASKED_TERM_SECONDS)
        return  # `gate run` lives, and releases the lock
    if DONE.strip() in _words(heard):
        return
    held = _take_over(path, lock, known_pids={_group(heard), runner, os.getpid()})
    _end(_group(heard), held)
    if held is not None:
        held.release()  # names what left the group and keeps the lock


def _raise_if_holder(lock: int) -> None:
    if parse_pid_line(os.pread(lock, 64, 0)) == os.getpid():
        raise _Asked


def _hear_until_end(pipe: int, heard: list[bytes]) -> None:
    """Everything that is said. The pipe ends with `gate run`, at the latest when the command has begun."""
    while part := os.read(pipe, 4096):
        heard.append(part)


def _words(heard: list[bytes]) -> list[bytes]:
    return b"".join(heard).splitlines()


def _group(heard: list[bytes]) -> int:
    """0 where `gate run` never came so far as to start the command."""
    return next((int(word.split()[1]) for word in reversed(_words(heard)) if word.startswith(b"group ")), 0)


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


def _end(group: int, held: HeldLock | None, *, term_seconds: float = _TERM_SECONDS) -> None:
    """Gently, then by force; what cannot be ended (another user's, or stuck in the kernel) is waited for."""
    if group and group_members(group):
        group_end(group, term_seconds=term_seconds)
    beat_at = time.monotonic()
    while group and group_members(group):
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
