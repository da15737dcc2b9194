"""The guardian beside a `gate run`: started before the command, told its group, started anew when it is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from gate.core.guardian import DONE, group_word
from gate.core.heldlock import HeldLock

__all__ = ["GuardianProcess"]

_ROOT = Path(__file__).resolve().parents[2]
_END_SECONDS = 10.0
# Meant for the command, or for everything of a terminal or a service; inherited over the start, so without a gap.
_IGNORED = (
    signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2,
    signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU,
)  # fmt: skip


class GuardianProcess:
    """Raises OSError where no process can be started."""

    def __init__(self, held: HeldLock) -> None:
        self._held = held
        self._read, self._write = os.pipe()  # not inherited, unless asked for
        self._process = self._start()
        self._is_told = False  # the one that is to be started

    @property
    def pid(self) -> int:
        return self._process.pid

    def hear_child(self) -> None:
        """In the command's process, before it becomes the command: however early we are killed, it is known."""
        os.write(self._write, group_word(os.getpid()))

    def start_anew_if_lost(self, group: int) -> bool:
        """True when it had been killed; then another one knows the group."""
        if self._process.poll() is None:
            return False
        if not self._is_told:  # first, and once however often the start fails: the pipe keeps it, and must not fill up
            os.write(self._write, group_word(group))
            self._is_told = True
        self._process = self._start()
        self._is_told = False
        return True

    def dismiss(self) -> None:
        """There is nothing more to guard. Returns when it is gone, and its hold on the lock with it."""
        os.write(self._write, DONE)
        os.close(self._write)
        os.close(self._read)
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        lock = self._held.fileno()
        words = [str(self._held.path), str(lock), str(self._read), str(os.getpid())]
        return subprocess.Popen(
            [sys.executable, "-E", "-s", "-S", "-m", "gate.core.guardian", *words],
            cwd=_ROOT,
            # Whoever waits for the end of our output must not wait for the guardian.
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            pass_fds=(lock, self._read),
            start_new_session=True,
            preexec_fn=_ignore_signals,  # noqa: PLW1509 - takes no lock that the watch's thread could have
        )  # fmt: skip


def _ignore_signals() -> None:
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # it has a meaning for it, once it runs
