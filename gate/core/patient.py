"""Messages that wait for nobody: whoever watches a machine must not stand still because its output is not read.

A full pipe, a stopped terminal or a full disk loses the message, and neither the watch nor an exit code.
"""

from __future__ import annotations

import io
import os
import select
import signal
import stat
import sys
import threading
from contextlib import suppress

__all__ = ["patient_stderr", "patient_stdout", "streams_settle"]

_WAIT_MS = 1000  # for a reader that is behind


class _Patient(io.TextIOBase):
    """Past Python's buffer: what that cannot write it keeps, and fails with it at the interpreter's end.

    Once a message was lost, no further one waits until the reader takes some again.
    """

    def __init__(self, name: str) -> None:
        self._name = name  # of the stream in `sys` at the moment of writing
        self._wait_ms = _WAIT_MS
        self._writer: threading.Thread | None = None  # the last one

    def write(self, text: str) -> int:
        data = text.encode(errors="backslashreplace")
        # Blocked: in the background of a terminal with `stty tostop` a write would stop us, and then nobody watches.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])
        try:
            with suppress(OSError, ValueError, AttributeError):
                descriptor = getattr(sys, self._name).fileno()
                if _is_file(descriptor) or not self._is_handed_over(descriptor, data):
                    while data and self._takes_more(descriptor):
                        data = data[os.write(descriptor, data[: select.PIPE_BUF]) :]
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return len(text)

    def _is_handed_over(self, descriptor: int, data: bytes) -> bool:
        """A terminal with little room says that it takes more, and lets who writes wait for the rest; the room that a
        pipe had may be taken by another process. So a thread writes, and what comes while it waits is lost.

        False when no thread can be started.
        """
        if (self._writer is not None and self._writer.is_alive()) or not self._takes_more(descriptor):
            return True
        self._writer = threading.Thread(target=_write_all, args=(descriptor, data), daemon=True, name="output")
        try:
            self._writer.start()
        except RuntimeError:
            self._writer = None
            return False
        self._writer.join(_WAIT_MS / 1000)
        return True

    def _takes_more(self, descriptor: int) -> bool:
        """Whether a write of PIPE_BUF bytes would not wait."""
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        takes_more = bool(poll.poll(self._wait_ms))
        self._wait_ms = _WAIT_MS if takes_more else 0
        return takes_more


def _is_file(descriptor: int) -> bool:
    return stat.S_ISREG(os.fstat(descriptor).st_mode)


def _write_all(descriptor: int, data: bytes) -> None:
    with suppress(OSError):  # nobody reads any more
        while data:
            data = data[os.write(descriptor, data) :]


patient_stdout, patient_stderr = _Patient("stdout"), _Patient("stderr")


def streams_settle() -> None:
    """What stdout and stderr still hold and cannot write is dropped; Python would end with 120 for it."""
    for name in ("stdout", "stderr"):
        try:
            getattr(sys, name).flush()
        except (OSError, ValueError):
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - until the very end
