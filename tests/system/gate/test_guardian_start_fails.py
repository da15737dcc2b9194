"""A guardian that is lost, and cannot be started anew for long: the pipe to it must not fill up, for then the watch
would wait for it.
"""

from __future__ import annotations

import array
import fcntl
import os
import signal
import sys
import termios
from pathlib import Path

import pytest

from gate.cli.guardian_process import GuardianProcess
from gate.core.guardian import group_word
from gate.core.identity import record_for
from gate.core.lockfile import HeavyLock


def waiting_bytes(descriptor: int) -> int:
    found = array.array("i", [0])
    fcntl.ioctl(descriptor, termios.FIONREAD, found)
    return found[0]


def test_the_group_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = HeavyLock(tmp_path / "x.lock")
    group = os.getpid() + 10**6  # of nobody
    with lock.acquire(record_for(os.getpid(), machine=lock.machine)) as held:
        guardian = GuardianProcess(held)
        os.kill(guardian.pid, signal.SIGKILL)
        os.waitid(os.P_PID, guardian.pid, os.WEXITED | os.WNOWAIT)
        with monkeypatch.context() as no_program:  # as where no process can be made: the start raises OSError
            no_program.setattr(sys, "executable", str(tmp_path / "missing"))
            for _ in range(20):
                with pytest.raises(OSError, match="missing"):
                    guardian.start_anew_if_lost(group)
        assert waiting_bytes(guardian._read) == len(group_word(group))
        assert guardian.start_anew_if_lost(group)
        guardian.dismiss()
