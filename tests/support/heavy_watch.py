"""Counts, from outside, the processes on this machine that have a Whisper model: by /proc, not by our own rows."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

LOOK_SECONDS = 0.02
KCMP_VM = 1  # linux/kcmp.h


class HeavyWatch:
    """Look every 20 ms while the `with` block runs. `peak` is the largest count of one look, `seen` every PID.

    `under`: only processes whose command line names this folder or that have a file of it open, so that other
    runs on the machine do not count.
    """

    def __init__(self, under: Path) -> None:
        self._under = str(under).encode()
        self._known: dict[tuple[int, str], bool] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.looks = 0
        self.peak: tuple[int, ...] = ()
        self.told: list[str] = []  # of each look that met several: what the kernel said of them right then
        self.seen: set[int] = set()

    def __enter__(self) -> HeavyWatch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            now = tuple(self.heavy())
            if len(now) > 1:
                now = tuple(pid for pid in now if not self._is_borrowed(pid))
            self.looks += 1
            self.seen.update(now)
            if len(now) > 1 and len(self.told) < 20:
                self.told.append(f"at {time.time():.3f}: {[_told(pid) for pid in now]}; then {tuple(self.heavy())}")
            if len(now) > len(self.peak):
                self.peak = now

    def heavy(self) -> Iterable[int]:
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and self._is_heavy(folder):
                yield int(folder.name)

    def _is_borrowed(self, pid: int) -> bool:
        """A child of vfork has its parent's memory, and so its command line, until it becomes the program it was made
        for (what torch imports asks ldconfig for a library). It is no second model.
        """
        folder = Path(f"/proc/{pid}")
        try:
            parent = int(_stat(folder)[1])
        except (OSError, IndexError):
            return True  # it has ended since
        return _have_one_memory(pid, parent) or not self._is_heavy(folder)

    def _is_heavy(self, folder: Path) -> bool:
        """Known by PID and command line together: a PID comes again, and a fork becomes what it execs."""
        try:
            words = (folder / "cmdline").read_bytes()
            if not is_heavy_command(words.split(b"\0")):
                return False
            key = (int(folder.name), _stat(folder)[19])
            if key not in self._known:
                self._known[key] = self._under in words or self._has_open(folder)
            return self._known[key]
        except (OSError, IndexError):  # it has just ended
            return False

    def _has_open(self, folder: Path) -> bool:
        """Our engine is told nothing of the folder, but has inherited the lock's descriptor."""
        return any(os.fsencode(link.readlink()).startswith(self._under) for link in (folder / "fd").iterdir())


def _stat(folder: Path) -> list[str]:
    """The fields of a process behind its name: its state, its parent, and so on, proc(5)."""
    return (folder / "stat").read_text().rpartition(")")[2].split()


def _have_one_memory(pid: int, other: int) -> bool:
    """kcmp(2)."""
    number = {"x86_64": 312, "aarch64": 272}[os.uname().machine]
    return int(ctypes.CDLL(None).syscall(number, pid, other, KCMP_VM, 0, 0)) == 0


def _told(pid: int) -> str:
    """For the reader of a failure: whose thread it is, state, parent, group, threads and start, and what it runs."""
    try:
        folder = Path(f"/proc/{pid}")
        fields = _stat(folder)
        whose = (folder / "status").read_text().partition("\nTgid:")[2].split()[0]
        words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except (OSError, IndexError) as gone:
        return f"{pid}: {gone}"
    place = f"{fields[0]} under {fields[1]}, group {fields[2]}, {fields[17]} threads, start {fields[19]}"
    return f"{pid} of {whose}: {place}: {words}"


def is_heavy_command(words: list[bytes]) -> bool:
    """Our engine, `python -m whisper`, or a Python script named whisper."""
    if b"python" not in words[0].rpartition(b"/")[2]:
        return False
    if words[1:3] in ([b"-m", b"transcribe.engine"], [b"-m", b"whisper"]):
        return True
    return len(words) > 1 and words[1].endswith(b"/whisper")
