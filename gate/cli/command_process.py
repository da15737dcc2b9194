"""A command of a person as a heavy process: a group of its own, low priority, with the lock's descriptor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from gate.core.groups import group_end
from gate.core.identity import group_members
from gate.core.manners import lower_priority

__all__ = ["CommandProcess"]

_POLL_SECONDS = 0.05


class CommandProcess:
    """Started at once. `pid` is also the id of its process group.

    `tell`: called in the new process, as the leader of its group, before it becomes the command.

    Raises:
        OSError: the command cannot be started.
    """

    def __init__(self, command: Sequence[str], *, lock_descriptor: int, tell: Callable[[], None]) -> None:
        def manners() -> None:
            with suppress(OSError):
                tell()
            lower_priority()

        self._process = subprocess.Popen(
            command,
            # A background group that reads the terminal would be stopped by it.
            stdin=subprocess.DEVNULL if sys.stdin is not None and sys.stdin.isatty() else None,
            pass_fds=(lock_descriptor,),
            process_group=0,
            preexec_fn=manners,  # noqa: PLW1509 - takes no lock that the thread which asks sensors could have
        )
        self.pid = self._process.pid
        self.is_paused = False  # by us
        self.was_signalled = False  # since somebody looked who could not be

    def wait(self, seconds: float) -> int | None:
        """The exit code as shells have it (128 and the signal's number for a signal); None while it runs.

        It stays a zombie until `reap`, so that no other group can get its number while we signal it.
        """
        deadline = time.monotonic() + seconds
        while (ended := os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is None:
            if time.monotonic() >= deadline:
                return None
            time.sleep(_POLL_SECONDS)
        return ended.si_status if ended.si_code == os.CLD_EXITED else 128 + ended.si_status

    def reap(self) -> None:
        self._process.wait()

    def members(self) -> tuple[int, ...]:
        """What runs in its group, itself included."""
        return group_members(self.pid)

    def out_of_reach(self) -> tuple[int, ...]:
        """Members that the kernel does not let us signal: they run as another user."""
        return tuple(pid for pid in self.members() if not _may_signal(pid))

    def stop_change(self) -> int | None:
        """News since the last look: the signal that stopped it, 0 when it went on, None for no news."""
        try:
            news = os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WCONTINUED | os.WNOHANG)
        except ChildProcessError:  # has ended
            return None
        if news is None:
            return None
        return 0 if news.si_code == os.CLD_CONTINUED else news.si_status

    def signal(self, number: int) -> None:
        """To the whole group; nothing happens when it is gone, or runs as another user."""
        self.was_signalled = True
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def pause(self) -> None:
        self.is_paused = True
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.is_paused = False
        self.signal(signal.SIGCONT)

    def end(self) -> tuple[int, ...]:
        """Gently, then by force; what of the group still runs after that."""
        self.was_signalled = True
        return group_end(self.pid).left


def _may_signal(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return False
    except ProcessLookupError:
        return True
    return True
