"""Messages on stderr that can neither stop what is watched nor change an exit code."""

from __future__ import annotations

import io
import logging
import os
import select
import signal
import sys
from contextlib import suppress

__all__ = ["stderr_say", "stderr_takes_logs", "streams_settle"]

_WAIT_MS = 1000  # for a reader that is behind; after that the message is lost, not the watch


def stderr_say(text: str) -> None:
    """To stderr: stdout belongs to the command that runs under the gate. A closed or full stderr loses the text.

    Past Python's buffer: what that cannot write it keeps, and fails with it at the interpreter's end.
    """
    _write(f"gate: {text}\n")


def stderr_takes_logs() -> None:
    """From now on the log's lines on stderr wait for nobody either: a warning must not stop the watch that gave it."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stderr:
            handler.setStream(_Patient())


class _Patient(io.TextIOBase):
    def write(self, text: str) -> int:
        _write(text)
        return len(text)


def _write(text: str) -> None:
    data = text.encode(errors="backslashreplace")
    # Blocked: in the background of a terminal with `stty tostop` a write would stop us, and then nobody watches.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])
    try:
        with suppress(OSError, ValueError, AttributeError):
            descriptor = sys.stderr.fileno()
            while data and _takes_more(descriptor):
                data = data[os.write(descriptor, data[: select.PIPE_BUF]) :]
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _takes_more(descriptor: int) -> bool:
    """Whether a write of PIPE_BUF bytes would not wait: a stopped terminal or a full pipe must not stop the watch."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(_WAIT_MS))


def streams_settle() -> None:
    """What stdout and stderr still hold and cannot write is dropped; Python would end with 120 for it."""
    for name in ("stdout", "stderr"):
        try:
            getattr(sys, name).flush()
        except (OSError, ValueError):
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - until the very end
