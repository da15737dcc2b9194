"""Questions that may never be answered: here a pipe that nobody writes to, as a driver whose bus hangs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.core.answering import Answering, NoAnswer


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "silent"
    os.mkfifo(path)
    yield path
    with path.open("r+b", buffering=0):  # whoever still waits for it reads to its end
        time.sleep(0.1)


def test_it_gives_the_answer_or_the_error() -> None:
    asked = Answering()
    assert asked.ask(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        asked.ask(lambda: 1 // 0)
    assert asked.ask(lambda: 8) == 8


def test_it_waits_once_and_then_says_at_once_that_it_hangs(pipe: Path) -> None:
    asked = Answering(limit_seconds=0.3)
    begun = time.monotonic()
    with pytest.raises(NoAnswer):
        asked.ask(pipe.read_bytes)
    assert time.monotonic() - begun >= 0.3
    time.sleep(0.3)
    with pytest.raises(NoAnswer) as again:
        asked.ask(lambda: pytest.fail("asked although another question hangs"))
    assert again.value.seconds >= 0.6


def test_it_asks_again_when_the_hanging_question_was_answered(pipe: Path) -> None:
    asked = Answering(limit_seconds=0.2)
    with pytest.raises(NoAnswer):
        asked.ask(pipe.read_bytes)
    with pipe.open("r+b", buffering=0) as writer:
        writer.write(b"late")
    time.sleep(0.5)
    assert asked.ask(lambda: "fresh") == "fresh"


def test_a_child_after_a_fork_asks_anew(pipe: Path) -> None:
    asked = Answering(limit_seconds=0.2)
    with pytest.raises(NoAnswer):
        asked.ask(pipe.read_bytes)
    child = os.fork()
    if child == 0:
        os._exit(asked.ask(lambda: 42))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 42
