"""Takers with children, many who name survivors, and kills: never two holders, never a lock that stays behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from gate.core.identity import record_for
from gate.core.lockfile import HeavyLock
from tests.support.panel import BASE_DIR, until

TAKERS, NAMERS, ROUNDS = 4, 3, 25

NAMER = """
import sys
from pathlib import Path
from gate.core.lockfile import HeavyLock
lock = HeavyLock(Path(sys.argv[1]), host="mini")
log = open(sys.argv[2], "a", buffering=1)
while True:
    survivor = lock.survivor_name()
    if survivor is not None:
        log.write(f"named {survivor.pid}\\n")
"""


class Crowd:
    """Each in a session of its own, so that a killed taker's child lives on."""

    def __init__(self, folder: Path) -> None:
        self.log, self.path, self._witness = folder / "log", folder / "x.lock", folder / "witness"
        self.log.touch()
        taker = [
            sys.executable,
            "-m",
            "tests.support.survivor_contender",
            *map(str, (self.path, self._witness, self.log)),
        ]
        namer = [sys.executable, "-c", NAMER, str(self.path), str(self.log)]
        self._commands = [taker] * TAKERS + [namer] * NAMERS
        self._processes = [self._start(command) for command in self._commands]

    def kill_one(self) -> None:
        """Mostly takers; the process alone, without its child."""
        at = random.choice([*range(TAKERS), *range(TAKERS), random.randrange(len(self._processes))])
        self._processes[at].kill()
        self._processes[at].wait()
        self._processes[at] = self._start(self._commands[at])

    def stop(self) -> None:
        for process in self._processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def count(self, word: str) -> int:
        return sum(line.startswith(word) for line in self.log.read_text().splitlines())

    def told(self) -> str:
        """For the reader of a failure: what the lock looks like, and what each process does."""
        states = [f"{p.pid} {p.poll()} {_stat(p.pid)}" for p in self._processes]
        return f"{HeavyLock(self.path, host='mini').inspect()}; {states}"

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, cwd=BASE_DIR, stdin=quiet, stdout=quiet, start_new_session=True)


def test_takers_and_namers_never_fight(tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    random.seed(seed)
    print(f"seed {seed}")
    crowd = Crowd(tmp_path)
    try:
        for _ in range(ROUNDS):
            _wait_for_more(crowd)
            time.sleep(random.uniform(0.0, 0.1))  # anywhere in a hold
            crowd.kill_one()
        until(lambda: crowd.count("named"), seconds=60, what="a survivor was named")
    finally:
        crowd.stop()
    lines = crowd.log.read_text().splitlines()
    assert [line for line in lines if not line.startswith(("held ", "named "))] == []
    lock = HeavyLock(crowd.path, host="mini")
    until(lambda: not lock.inspect().is_live, seconds=30, what=f"the lock is free: {lock.inspect()}")
    assert lock.acquire(record_for(os.getpid(), machine=lock.machine), timeout_seconds=60).release()


def _stat(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/wchan").read_text() + " " + Path(f"/proc/{pid}/stat").read_text()[:40]
    except OSError as gone:
        return str(gone)


def _wait_for_more(crowd: Crowd) -> None:
    before = crowd.count("held")
    try:
        until(lambda: crowd.count("held") > before, seconds=60, what="somebody takes the lock")
    except AssertionError as late:
        raise AssertionError(f"{late}; {crowd.told()}") from None
