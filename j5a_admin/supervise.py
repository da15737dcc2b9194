"""Start the panel's processes, start a dead one anew, and end them all.

Each child has a session of its own, so Ctrl-C reaches only us, and signals go to its main pid only: a django-q2
process group must never be signalled (docs/architecture.md).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = Path(__file__).with_name("child.py")
STOP_SECONDS = 12.0  # within the 15 s that a stop may take
KILLED_SECONDS = 5.0  # for each; what can be ended is gone long before
RESTART_FIRST_SECONDS = 0.5
RESTART_LIMIT_SECONDS = 30.0
STEADY_SECONDS = 60.0  # a child that lived this long starts anew at once


@dataclass
class Child:
    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restart_at: float = 0.0
    backoff_seconds: float = RESTART_FIRST_SECONDS

    def start(self, now: float) -> None:
        command = [sys.executable, str(LAUNCHER), str(os.getpid()), *self.command]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        self.started_at = now

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Keeps `children` running until `stop()`; `say` gets one line for each thing that happens."""

    def __init__(self, children: list[Child], say: Callable[[str], None]) -> None:
        self._children = children
        self._say = say
        self._stopping = False

    def stop(self) -> None:
        self._stopping = True

    def run(self) -> None:
        try:
            for child in self._children:
                child.start(time.monotonic())
            while not self._stopping:
                for child in self._children:
                    self._keep(child, time.monotonic())
                time.sleep(0.2)
        finally:
            self._end_all()

    def _keep(self, child: Child, now: float) -> None:
        if child.is_running():
            return
        if child.process is not None:
            code = child.process.wait()
            child.process = None
            self._plan_restart(child, code, now)
        if now >= child.restart_at:
            child.start(now)

    def _plan_restart(self, child: Child, code: int, now: float) -> None:
        if now - child.started_at > STEADY_SECONDS:
            child.backoff_seconds = RESTART_FIRST_SECONDS
        child.restart_at = now + child.backoff_seconds
        self._say(f"{child.name} ended (exit code {code}); starting it anew in {child.backoff_seconds:g} s")
        child.backoff_seconds = min(child.backoff_seconds * 2, RESTART_LIMIT_SECONDS)

    def _end_all(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in running:
            _wait_unreaped(process, deadline)
        for process in running:  # none is reaped yet: until then nobody else gets its number
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
        for child in self._children:
            if child.process is not None:
                self._bury(child.name, child.process)

    def _bury(self, name: str, process: subprocess.Popen[bytes]) -> None:
        """A thread that waits in the kernel for a device keeps its process, also after SIGKILL."""
        try:
            process.wait(KILLED_SECONDS)
        except subprocess.TimeoutExpired:
            self._say(f"{name} (PID {process.pid}) does not end: the kernel keeps it at a device that does not answer")


def _wait_unreaped(process: subprocess.Popen[bytes], deadline: float) -> None:
    """Until it has ended, or the deadline; its number stays taken."""
    options = os.WEXITED | os.WNOWAIT | os.WNOHANG
    while process.returncode is None and time.monotonic() < deadline:
        if os.waitid(os.P_PID, process.pid, options) is not None:
            return
        time.sleep(0.05)
