"""Where a test runs `manage.py gate run`: data and lock directory of its own, and everything it started in sight."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from gate.core.heldlock import HeldLock
from gate.core.identity import record_for
from gate.core.lockfile import HeavyLock
from tests.support.panel import BASE_DIR, until

TINY = ("run", "--model", "tiny", "--")
PATIENT_SECONDS = 120
_MARK = "GATE_RUN_TEST"
_GUARDIAN = b"gate.core.guardian"


class Place:
    """`prepared`: a data directory with its database, to be copied; each place remembers sensors of its own."""

    def __init__(self, root: Path, prepared: Path | None = None) -> None:
        self.root = root
        self.lock = root / "locks" / "whisper_large.lock"
        if prepared is not None:
            shutil.copytree(prepared, root / "var")
        self._mark = uuid.uuid4().hex
        self._started: list[subprocess.Popen[str]] = []

    # ── starting ─────────────────────────────────────────────────────────────────────────────────
    def start(
        self, *words: str | bytes, margin: str = "0.5", before: tuple[str, ...] = (), **more: object
    ) -> subprocess.Popen[str]:
        """`manage.py gate WORDS`; its stderr goes to a file, see `err`. `before`: words in front of the interpreter."""
        command = [*before, sys.executable, "manage.py", "gate", *words]
        return self.start_any(command, margin=margin, **more)

    def start_any(self, command: list[str | bytes], *, margin: str = "0.5", **more: object) -> subprocess.Popen[str]:
        environment = {
            **os.environ, _MARK: self._mark,
            "J5A_DATA_DIR": str(self.root / "var"), "J5A_LOCK_DIR": str(self.root / "locks"), "J5A_MARGIN_GIB": margin,
        }  # fmt: skip
        with self._err_path(len(self._started)).open("w") as err:
            options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": err, **more}
            process = subprocess.Popen(command, cwd=BASE_DIR, env=environment, text=True, **options)  # type: ignore[call-overload]
        self._started.append(process)
        return process

    def run(self, *words: str | bytes, **more: object) -> tuple[int, str, str]:
        process = self.start(*words, **more)  # type: ignore[arg-type]
        out, _ = process.communicate(timeout=PATIENT_SECONDS)
        return process.returncode, out, self.err(process)

    def _err_path(self, number: int) -> Path:
        return self.root / f"stderr-{number}.txt"

    def err(self, process: subprocess.Popen[str]) -> str:
        return self._err_path(self._started.index(process)).read_text(errors="replace")

    def until_said(self, process: subprocess.Popen[str], text: str) -> None:
        try:
            until(lambda: text in self.err(process), seconds=40, what=f"it says “{text}”")
        except AssertionError as late:
            raise AssertionError(f"{late}; it said: {self.err(process)}") from None

    # ── looking ──────────────────────────────────────────────────────────────────────────────────
    def line_pid(self) -> int:
        with suppress(OSError, ValueError):
            return int(self.lock.read_text())
        return 0

    def holder_pid(self) -> int:
        """The command's PID, once the lock's line names it."""
        strangers = {process.pid for process in self._started}

        def named() -> int:
            pid = self.line_pid()
            return pid if pid not in strangers and pid not in self.guardians() else 0

        return int(until(named, seconds=40, what="the lock names the command"))

    def marked(self) -> set[int]:
        """Everything that a process of this place started and that still runs; zombies show no environment."""
        needle = f"{_MARK}={self._mark}".encode()
        return {pid for pid in psutil.pids() if needle in _read(pid, "environ").split(b"\0")}

    def guardians(self) -> set[int]:
        return {pid for pid in self.marked() if _GUARDIAN in _read(pid, "cmdline").split(b"\0")}

    def work(self) -> set[int]:
        """What runs of the commands."""
        return self.marked() - self.guardians() - {process.pid for process in self._started}

    def is_locked(self) -> bool:
        with self.lock.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def take(self, *, timeout_seconds: float = 60.0) -> HeldLock:
        """The lock for the test itself; raises LockHeld."""
        lock = HeavyLock(self.lock)
        return lock.acquire(record_for(os.getpid(), machine=lock.machine), timeout_seconds=timeout_seconds)

    def watch_until_gone(self) -> None:
        """Nothing is left in the end; until then it is under the lock, and the line names somebody alive."""
        deadline = time.monotonic() + PATIENT_SECONDS
        while before := self.work():
            line = self.line_pid()
            is_locked, is_alive = self.is_locked(), is_running(line)
            if before & self.work() and line == self.line_pid():
                assert is_locked, f"{before} run, and the lock is free"
                assert is_alive, f"{before} run, and the line names {line}, which does not"
            assert time.monotonic() < deadline, f"{before} still run: {[_read(pid, 'cmdline') for pid in before]}"
        until(lambda: not self.marked() - self._alive_runners(), seconds=40, what="the guardian is gone")
        self.take().release()

    def _alive_runners(self) -> set[int]:
        return {process.pid for process in self._started if process.poll() is None}

    # ── ending ───────────────────────────────────────────────────────────────────────────────────
    def stop(self) -> None:
        for pid in self.marked():
            with suppress(ProcessLookupError):
                os.kill(pid, 9)
        for process in self._started:
            process.kill()
            process.communicate(timeout=PATIENT_SECONDS)


def is_running(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def status_of(pid: int) -> str:
    return str(psutil.Process(pid).status())


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


# ── heat, on a machine with sensors of its own ───────────────────────────────────────────────────
# In a mount namespace: argv is the file of the temperature, then the words of `gate`.
_HOT = """
import os, sys
from tests.support.mounts import package_sensor
package_sensor().symlink_to(sys.argv[1])
os.execv(sys.executable, [sys.executable, "manage.py", "gate", *sys.argv[2:]])
"""


class HotPlace(Place):
    """A place on a machine whose package temperature the test sets; 50 °C at first."""

    def __init__(self, root: Path, prepared: Path) -> None:
        super().__init__(root, prepared)
        self._thermometer = root / "temperature"
        self.set_celsius(50.0)

    def set_celsius(self, celsius: float) -> None:
        fresh = self._thermometer.with_suffix(".new")
        fresh.write_text(f"{round(celsius * 1000)}\n")
        fresh.replace(self._thermometer)

    def fall_silent(self) -> None:
        """From now on who reads the sensor waits for ever: it is a pipe that nobody writes to."""
        fresh = self._thermometer.with_suffix(".new")
        os.mkfifo(fresh)
        fresh.replace(self._thermometer)

    def start_hot(self, *command: str, **more: object) -> subprocess.Popen[str]:
        words = [
            "unshare",
            "-m",
            "--propagation",
            "private",
            sys.executable,
            "-c",
            _HOT,
            str(self._thermometer),
            *TINY,
            *command,
        ]
        return self.start_any(list(words), **more)


@pytest.fixture(scope="session")
def prepared_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with its database, made once: that takes longer than most of what is tested with it."""
    place = Place(tmp_path_factory.mktemp("prepared"))
    code, out, err = place.run("check", "--model", "tiny")
    assert code in (0, 1), out + err
    return place.root / "var"


@pytest.fixture
def place(tmp_path: Path, prepared_data: Path) -> Iterator[Place]:
    place = Place(tmp_path, prepared_data)
    try:
        yield place
    finally:
        place.stop()


@pytest.fixture
def hot_place(tmp_path: Path, prepared_data: Path, namespaces: None) -> Iterator[HotPlace]:
    place = HotPlace(tmp_path, prepared_data)
    try:
        yield place
    finally:
        place.stop()
