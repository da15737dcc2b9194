"""A command of a person as a heavy process: a group of its own, low priority, with the lock's descriptor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from gate.core.identity import group_members
from gate.core.manners import end_with_parent, lower_priority

__all__ = ["CommandProcess"]

_GRACE_SECONDS = 10.0


class CommandProcess:
    """Started at once. `pid` is also the id of its process group.

    Raises:
        OSError: the command cannot be started.
    """

    def __init__(self, command: Sequence[str], *, lock_descriptor: int) -> None:
        parent = os.getpid()

        def manners() -> None:
            lower_priority()
            # Unwatched it must not go on; SIGTERM, because it is not ours and may want to tidy up.
            end_with_parent(parent, signal.SIGTERM)

        self._process = subprocess.Popen(
            command,
            # A background group that reads the terminal would be stopped by it.
            stdin=subprocess.DEVNULL if sys.stdin is not None and sys.stdin.isatty() else None,
            pass_fds=(lock_descriptor,),
            process_group=0,
            preexec_fn=manners,  # noqa: PLW1509 - this process has one thread
        )
        self.pid = self._process.pid

    def wait(self, seconds: float) -> int | None:
        """The exit code as shells have it (128 and the signal's number for a signal); None while it runs."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        return code if code >= 0 else 128 - code

    def signal(self, number: int) -> None:
        """To the whole group; nothing happens when it is gone."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return

    def pause(self) -> None:
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.signal(signal.SIGCONT)

    def end(self) -> None:
        """SIGTERM to the group, ten seconds, SIGKILL; returns when none of it runs any more.

        A paused group is woken, so that it can obey.
        """
        for number in (signal.SIGTERM, signal.SIGKILL):
            self.signal(number)
            self.resume()
            deadline = time.monotonic() + _GRACE_SECONDS
            while group_members(self.pid) and time.monotonic() < deadline:
                self.wait(0.1)
