"""Watches a panel's engine from outside, in /proc, against the witness that test_contenders.py's contenders hold."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from pathlib import Path
from types import TracebackType

# A killed contender lets go of its descriptors one after another, so its witness may outlive its lock by a moment.
ENDING_SECONDS = 0.1


class EngineWatch:
    """In a thread: while an engine of the panel lives, nobody may hold the witness."""

    def __init__(self, panel_pid: int, witness: Path) -> None:
        self.engines: set[int] = set()  # PIDs that were seen
        self.looks = 0  # at the witness, while one lived
        self.faults: list[str] = []
        self._panel_pid = panel_pid
        self._witness = os.open(witness, os.O_RDWR | os.O_CREAT, 0o600)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> EngineWatch:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join(60)
        os.close(self._witness)

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            for pid in _engines(self._panel_pid):
                self.engines.add(pid)
                self._look_while_it_lives(pid)

    def _look_while_it_lives(self, pid: int) -> None:
        while _is_engine(pid) and not self._over.wait(0.003):
            if self._is_held_beside(pid):
                self.faults.append(f"engine {pid} lives, and a contender holds the lock")
                return
            self.looks += 1

    def _is_held_beside(self, pid: int) -> bool:
        """Held, and still held after what an ending process needs, and the engine alive all the time."""
        end = time.monotonic() + ENDING_SECONDS
        while True:
            try:
                fcntl.flock(self._witness, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                if not _is_engine(pid):
                    return False
                if time.monotonic() > end:
                    return True
                time.sleep(0.001)
            else:
                fcntl.flock(self._witness, fcntl.LOCK_UN)
                return False


def _engines(panel_pid: int) -> list[int]:
    pids = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]
    return [pid for pid in pids if _is_engine(pid) and _descends(pid, panel_pid)]


def _is_engine(pid: int) -> bool:
    """A process that has ended has no command line any more, also before it is waited for."""
    try:
        return b"transcribe.engine" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def _descends(pid: int, root: int) -> bool:
    while pid > 1 and pid != root:
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return False
    return pid == root
