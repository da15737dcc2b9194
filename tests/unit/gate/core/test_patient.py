"""Messages that wait for nobody, where there seemed to be room: a terminal that nobody reads takes a part of a line and
lets us wait, and another process fills a pipe.
"""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.panel import BASE_DIR
from tests.support.pipes import full_pipe

LINES = 3000  # of different lengths, together more than a terminal keeps
TALK = f"""
from gate.core.patient import patient_stderr
for number in range({LINES}):
    patient_stderr.write(f"{{number:04d}} {{'x' * (number % 97)}}\\n")
"""

# As when another process took the room between the look and the write.
TOO_LATE = f"from gate.core import patient; patient._Patient._takes_more = lambda *_: True\n{TALK}"


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


def talker(output: int, text: str = TALK) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", text]
    return subprocess.Popen(words, cwd=BASE_DIR, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=output)


def test_one_that_nobody_reads_holds_nobody_up(terminal: tuple[int, int]) -> None:
    talking = talker(terminal[1])
    try:
        assert talking.wait(30) == 0
    finally:
        talking.kill()
        talking.wait(30)


def test_one_that_is_read_gets_every_line(terminal: tuple[int, int]) -> None:
    talking, seen = talker(terminal[1]), b""
    while seen.count(b"\n") < LINES:
        seen += os.read(terminal[0], 65536)
    assert talking.wait(30) == 0
    lines = seen.decode().splitlines()
    assert lines == [f"{number:04d} {'x' * (number % 97)}" for number in range(LINES)]


def test_a_pipe_that_another_process_has_just_filled_holds_nobody_up() -> None:
    read, write = full_pipe()
    talking = talker(write, TOO_LATE)
    try:
        assert talking.wait(30) == 0
    finally:
        talking.kill()
        talking.wait(30)
        os.close(read)
        os.close(write)
