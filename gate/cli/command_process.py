"""A command of a person as a heavy process: a group of its own, low priority, with the lock's descriptor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

from gate.core.groups import group_end
from gate.core.manners import end_with_parent, lower_priority

__all__ = ["CommandProcess"]


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
        """Gently, then by force; returns when none of the group runs any more."""
        group_end(self.pid)
        self.wait(1.0)
