"""Our own running engine is no foreign Whisper process; the same program without our lock is one. Real processes."""

from __future__ import annotations

import getpass
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.support.markup import elements, words
from tests.support.rows import running

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def engine_of(*lock_path: Path) -> Iterator[int]:
    """The number of a process named `whisper`, started by one who holds the lock if a path is given."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.lock_holder", *map(str, lock_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.stdout.read()  # until the last of them is gone
        process.stdout.close()
        process.wait()


def processes_row(answer: Any) -> str:
    return str(elements(answer, "li", class_="check")[2].words)


def test_the_engine_of_the_running_job_is_ours(operator: Client, settings: Settings) -> None:
    running(title="Board meeting")
    with engine_of(settings.GATE_LOCK_PATH) as pid:
        answer = operator.get("/")
    assert words(answer, "state-title") == "Working"
    assert words(answer, "lock-title") == "Lock held"
    assert f"PID {pid}" not in processes_row(answer)


def test_the_same_program_without_our_lock_is_foreign(operator: Client) -> None:
    with engine_of() as pid:
        answer = operator.get("/")
    assert f"whisper (PID {pid}, user {getpass.getuser()}, running " in processes_row(answer)
    assert processes_row(answer).startswith("BLOCK ")
    assert words(answer, "state-title") == "Blocked"
