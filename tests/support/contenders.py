"""Contenders of every kind for one lock, a kill -9 in each round: never two holders, never a lock to clear by hand."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from gate.core.lockfile import HeavyLock
from tests.support.engine_watch import EngineWatch
from tests.support.panel import BASE_DIR, Panel, until
from tests.support.speech_files import SPEECH_DIR

THREADS = 6

# Scripts and `gate run` start Python for every question: a second of processor time each. Asked all the time, they
# alone keep both processors busy (seen in `ps`), and whoever holds the lock waits for its turn on one of them. So
# they ask again after some seconds, and go before the contenders that only poll. None goes before the engine (nice 10),
# or its turn would last for minutes; none far behind it, or on a machine with other work nobody would get the lock.
POLLING_NICE, ASKING_NICE = 12, 10
# The panel's job may have it, at low priority: among forty busy processes its engine needed more than three minutes.
HOLD_SECONDS = 420

# The shell face, in a loop. It says what it sees as contender.py does.
SHELL = """
source {face}
exec {{witness}}<>"$WITNESS"
while :; do
    acquire_whisper_lock tiny >/dev/null 2>&1 || {{ sleep $((RANDOM % 12 + 3)).$((RANDOM % 9)); continue; }}
    flock -w 0.02 $witness || echo "TWO $$" >> "$LOG"
    echo "held $$" >> "$LOG"; echo shell >> "$LOG.kinds"
    sleep 0.05
    flock -u $witness
    release_whisper_lock >/dev/null 2>&1
    sleep $((RANDOM % 12 + 3)).$((RANDOM % 9))
done
"""
RUN = """
while :; do
    "$J5A_PYTHON" manage.py gate run --model tiny -- flock -w 0.02 -E 9 "$WITNESS" \\
        sh -c 'echo "held $$" >> "$LOG"; echo run >> "$LOG.kinds"; sleep 0.05' 2>/dev/null
    [ $? = 9 ] && echo "TWO $$" >> "$LOG"
    sleep $((RANDOM % 9 + 3)).$((RANDOM % 9))
done
"""


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """How many processes: of several threads each, of one, shell scripts, and loops of `gate run`."""

    threaded: int
    single: int
    shells: int
    runs: int


class Contenders:
    """Started, killed one at a time and started anew."""

    def __init__(self, panel: Panel, folder: Path, crowd: Crowd) -> None:
        self.log = folder / "log"
        self.log.touch()
        self._kinds = folder / "log.kinds"
        self._kinds.touch()
        self._lock = panel.lock_path
        self.witness = folder / "witness"
        self._env = {
            **panel.env, "LOG": str(self.log), "WITNESS": str(self.witness), "J5A_PYTHON": sys.executable,
            "J5A_MARGIN_GIB": "0.5",
        }  # fmt: skip
        face = BASE_DIR / "ops" / "resource_safety_gate.sh"
        commands = [self._python(THREADS)] * crowd.threaded + [self._python(1)] * crowd.single
        commands += [["bash", "-c", SHELL.format(face=face)]] * crowd.shells + [["bash", "-c", RUN]] * crowd.runs
        self.commands = commands
        self.processes = [self._start(command) for command in commands]

    def kill_one(self) -> None:
        at = random.randrange(len(self.processes))
        self._kill(self.processes[at])
        self.processes[at] = self._start(self.commands[at])

    def stop(self) -> None:
        for process in self.processes:
            self._kill(process)

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    def kinds(self) -> set[str]:
        return set(self._kinds.read_text().split())

    def _python(self, threads: int) -> list[str]:
        where = [str(self._lock), str(self.witness), str(self.log), str(threads)]
        return [sys.executable, "-m", "tests.support.contender", *where]

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        nice = POLLING_NICE if command[0] == sys.executable else ASKING_NICE
        return subprocess.Popen(
            ["nice", "-n", str(nice), *command],
            cwd=BASE_DIR,
            env=self._env,
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
            start_new_session=True,
        )

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        """With what it has just started; a command under `gate run` has a group of its own and ends by itself."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def assert_one_holder_at_a_time(panel: Panel, folder: Path, crowd: Crowd, rounds: int) -> None:
    seed = random.randrange(10**6)
    random.seed(seed)
    print(f"seed {seed}")
    assert panel.process is not None
    jobs = [panel.submit(SPEECH_DIR / "clip_00.flac")]
    contenders = Contenders(panel, folder, crowd)
    engine = EngineWatch(panel.process.pid, contenders.witness)
    try:
        with engine:
            for round_number in range(rounds):
                if round_number == rounds // 2:
                    jobs.append(panel.submit(SPEECH_DIR / "clip_01.flac"))
                _next_hold(contenders, round_number)
                contenders.kill_one()
            until(
                lambda: {"shell", "run"} <= contenders.kinds() and engine.looks,
                seconds=120,
                what="a script, `gate run` and the panel's engine held it, too",
            )
    finally:
        contenders.stop()
    assert engine.faults == []
    lines = contenders.lines()
    assert [line for line in lines if not line.startswith("held ")] == []
    assert len(lines) >= rounds
    # Nobody has to clear anything: the next one gets the lock, and the panel's own job comes to its end.
    for job_id in jobs:
        panel.wait_for_job(job_id, "succeeded", seconds=120)
    until(lambda: not HeavyLock(panel.lock_path).inspect().is_live, seconds=30, what="the lock is free")


def _next_hold(contenders: Contenders, round_number: int) -> None:
    before = contenders.log.stat().st_size
    end = time.monotonic() + HOLD_SECONDS
    while contenders.log.stat().st_size == before:
        assert time.monotonic() < end, f"round {round_number}: nobody got the lock for {HOLD_SECONDS} s"
        time.sleep(0.005)
