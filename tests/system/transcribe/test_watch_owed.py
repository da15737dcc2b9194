"""A signal of the watch that could not be sent is owed: no engine stays stopped, or runs while it should not."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from gate import watching
from gate.core.readings import Vitals
from gate.core.units import GIB
from gate.watching import MachineWatch
from tests.support.builders import memory, temperature
from tests.support.hot_machine import state_of
from tests.support.panel import until
from transcribe import run_watch
from transcribe.engine_logs import AttemptLog
from transcribe.held import HeldFor
from transcribe.run_watch import EngineWatch

pytestmark = pytest.mark.django_db(transaction=True)


class Sleeper:
    """Looks like an engine to the watch. `failing`: what raises the next time."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(["sleep", "600"])
        self.failing: set[str] = set()
        self.log = AttemptLog(folder / "engine.log")
        self.witness = self
        self.ended_for = ""

    def look(self) -> None: ...

    def end_for_machine(self, reason: str) -> None:
        self.ended_for = reason
        self.process.kill()

    def hold(self, what: HeldFor) -> None:
        self._signal("hold", signal.SIGSTOP)

    def let_go(self) -> None:
        self._signal("let_go", signal.SIGCONT)

    def _signal(self, name: str, number: signal.Signals) -> None:
        if name in self.failing:
            self.failing.remove(name)
            raise MemoryError
        os.kill(self.process.pid, number)


@pytest.fixture
def heat(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> list[float]:
    """The temperature of the machine is the last of these."""
    settings.GATE_LOCK_PATH = tmp_path / "locks" / "whisper_large.lock"
    celsius = [60.0]
    monkeypatch.setattr(
        watching,
        "take_vitals",
        lambda *_: Vitals(taken_at=1.0, memory=memory(8 * GIB), temperature=temperature(celsius[-1])),
    )
    monkeypatch.setattr(MachineWatch, "_ask_database", lambda self: None)
    monkeypatch.setattr(run_watch, "LOOK_SECONDS", 0.05)
    return celsius


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Sleeper]:
    engine = Sleeper(tmp_path)
    yield engine
    engine.process.kill()
    engine.process.wait(10)


@pytest.mark.parametrize("owed", ["hold", "let_go"])
def test_it_is_sent_with_the_next_look(heat: list[float], sleeper: Sleeper, owed: str) -> None:
    sleeper.failing.add(owed)
    watch = EngineWatch(sleeper, lambda: "job 1")  # type: ignore[arg-type]
    try:
        heat.append(82.0)
        until(lambda: state_of(sleeper.process.pid) == "T", seconds=5, what="it is paused")
        heat.append(60.0)
        until(lambda: state_of(sleeper.process.pid) == "S", seconds=5, what="it goes on")
        assert sleeper.failing == set()
    finally:
        watch.stop()


def test_one_that_somebody_wakes_while_it_is_hot_is_stopped_again(heat: list[float], sleeper: Sleeper) -> None:
    watch = EngineWatch(sleeper, lambda: "job 1")  # type: ignore[arg-type]
    try:
        heat.append(82.0)
        until(lambda: state_of(sleeper.process.pid) == "T", seconds=5, what="it is paused")
        for _ in range(3):
            os.kill(sleeper.process.pid, signal.SIGCONT)
            until(lambda: state_of(sleeper.process.pid) == "T", seconds=5, what="it is paused again")
    finally:
        watch.stop()


def test_an_engine_whose_watch_hangs_in_a_look_is_ended(
    heat: list[float], sleeper: Sleeper, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The watch's facts are kept on a disk that does not answer: here a pipe that nobody writes to."""
    monkeypatch.setattr(run_watch, "UNLOOKED_LIMIT", 30)  # 3 s below: a busy machine may be late
    pipe = tmp_path / "silent"
    os.mkfifo(pipe)
    watch = EngineWatch(sleeper, lambda: "job 1")  # type: ignore[arg-type]
    try:
        for _ in range(45):  # it looks, so nothing is owed
            watch.expect_look()
            time.sleep(0.1)
        assert sleeper.ended_for == ""
        monkeypatch.setattr(sleeper, "look", pipe.read_bytes)
        time.sleep(1.0)
        for _ in range(31):
            watch.expect_look()
        assert sleeper.ended_for.startswith("Ended for heat: the machine could not be looked at for 30 s")
    finally:
        with pipe.open("r+b", buffering=0):
            pass
        watch.stop()
