"""Questions that may never be answered: here a pipe that nobody writes to, as a driver whose bus hangs."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
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


def answered_late(asked: Answering, pipe: Path) -> Callable[[], bytes]:
    """A question that hung beyond its limit and has its answer half a second later."""
    question = pipe.read_bytes
    with pytest.raises(NoAnswer):
        asked.ask(question)
    with pipe.open("r+b", buffering=0) as writer:
        writer.write(b"late")
    time.sleep(0.5)
    return question


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


def test_it_names_the_file_that_it_waits_for(pipe: Path) -> None:
    asked = Answering(limit_seconds=2.0)
    with pipe.open("r+b", buffering=0):  # somebody may write: reading waits, not opening
        for _ in ("waited for", "hanging still"):
            with pytest.raises(NoAnswer) as silent:
                asked.ask(pipe.read_bytes)
            assert silent.value.path == str(pipe)


def test_of_many_slow_files_none_is_named(tmp_path: Path) -> None:
    """Each is read for less than the last part of the limit."""
    pipes = [tmp_path / str(number) for number in range(40)]
    for path in pipes:
        os.mkfifo(path)
    asked, over = Answering(limit_seconds=2.0), threading.Event()

    def feed() -> None:
        for path in pipes:
            with path.open("r+b", buffering=0):
                over.wait(0.1)

    feeding = threading.Thread(target=feed)
    feeding.start()
    with pytest.raises(NoAnswer) as silent:
        asked.ask(lambda: [path.read_bytes() for path in pipes])
    over.set()
    feeding.join()
    assert silent.value.path == ""


def test_it_names_nothing_where_it_does_not_wait_for_a_file() -> None:
    asked, never = Answering(limit_seconds=0.3), threading.Event()
    with pytest.raises(NoAnswer) as silent:
        asked.ask(never.wait)
    never.set()
    assert silent.value.path == ""


def test_it_asks_again_when_the_hanging_question_was_answered(pipe: Path) -> None:
    asked = Answering(limit_seconds=1.0)
    answered_late(asked, pipe)
    assert asked.ask(lambda: "fresh") == "fresh"


def test_a_child_after_a_fork_asks_anew(pipe: Path) -> None:
    asked = Answering(limit_seconds=1.0)
    with pytest.raises(NoAnswer):
        asked.ask(pipe.read_bytes)
    child = os.fork()
    if child == 0:
        try:
            os._exit(asked.ask(lambda: 42))
        finally:  # an error must not let the child go on with the tests
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 42


def test_the_late_answer_to_the_same_question_counts(pipe: Path) -> None:
    """A sensor that is merely slow must not look as if it never answered."""
    asked = Answering(limit_seconds=1.0)
    question = answered_late(asked, pipe)
    assert asked.ask(question) == b"late"
    with pytest.raises(NoAnswer):  # it counts once
        asked.ask(question)


def test_an_answer_that_comes_much_too_late_is_asked_for_anew(pipe: Path) -> None:
    asked = Answering(limit_seconds=0.1)
    question = answered_late(asked, pipe)
    with pytest.raises(NoAnswer):
        asked.ask(question)


def test_its_thread_ends_with_it() -> None:
    """Each engine has a watch of its own: a worker must not gather threads."""
    before = set(threading.enumerate())
    asked = Answering()
    assert asked.ask(lambda: 7) == 7
    (thread,) = set(threading.enumerate()) - before
    del asked
    thread.join(10.0)
    assert not thread.is_alive()
