"""The lock of `gate run`: others are refused or wait, one inside another is refused, its file may be lost."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from tests.support.panel import until
from tests.support.run_place import TINY, Place

WAITING = ("run", "--model", "tiny", "--wait", "--")


def test_a_second_one_is_refused_while_the_first_runs(place: Place) -> None:
    place.start(*TINY, "sleep", "300")
    pid = place.holder_pid()
    code, _, err = place.run(*TINY, "true")
    assert code == 75
    assert f"Blocked by lock: held by PID {pid} for gate run" in err


def test_with_wait_the_second_one_starts_when_the_first_has_ended(place: Place) -> None:
    first = place.start(*TINY, "sleep", "300")
    pid = place.holder_pid()
    second = place.start(*WAITING, "echo", "mine now")
    place.until_said(second, f"held by PID {pid}")
    os.kill(pid, signal.SIGTERM)
    assert first.wait(120) == 128 + signal.SIGTERM
    assert second.communicate(timeout=120)[0] == "mine now\n"
    assert second.returncode == 0


# sh hands the lock's descriptor on, Python's subprocess does not.
INNER = f"{sys.executable} manage.py gate run --model tiny --wait -- echo never"
BY_PYTHON = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)"


@pytest.mark.parametrize("outer", [("sh", "-c"), (sys.executable, "-c", BY_PYTHON, "sh", "-c")], ids=["sh", "python"])
def test_one_inside_another_is_refused_at_once_although_it_would_wait(place: Place, outer: tuple[str, ...]) -> None:
    code, out, err = place.run(*TINY, *outer, f"{INNER}; exit $?")
    assert code == 75
    assert out == ""
    assert "already, so waiting would never end" in err
    assert "start the command without it" in err


def test_one_that_outlived_its_parent_inside_another_is_refused_too(place: Place) -> None:
    """Nobody above it holds the lock any more, but it has the descriptor: it would wait for itself."""
    code, _, err = place.run(*TINY, "sh", "-c", f"(sleep 2; exec {INNER}) & exit 0")
    assert code == 0
    assert "this command has it already" in err


def test_a_number_in_the_lock_that_is_above_it_is_not_called_its_gate_run(place: Place) -> None:
    """An older script's line outlives it, and its number is given to a terminal, or is init's in a container."""
    place.lock.parent.mkdir(mode=0o700)
    place.lock.write_text(f"{os.getpid()}\n")
    code, out, err = place.run(*WAITING, "echo", "never")
    assert (code, out) == (75, "")
    assert f"held by PID {os.getpid()}, an older script without kernel lock, which started this command" in err
    assert f"See what it is with `ps -fp {os.getpid()}`" in err
    assert "start the command without it" not in err


def test_what_can_never_start_is_not_waited_for_behind_a_holder(place: Place) -> None:
    place.start(*TINY, "sleep", "300")
    holder = place.holder_pid()
    code, _, err = place.run(*WAITING, "true", margin="1000")
    assert code == 75
    assert f"held by PID {holder}" in err
    assert "This machine can never start tiny" in err


def test_its_lock_shows_signs_of_life(place: Place) -> None:
    place.start(*TINY, "sleep", "300")
    place.holder_pid()
    record = place.lock.with_name("whisper_large.lock.json")
    before = record.stat().st_mtime_ns
    until(lambda: record.stat().st_mtime_ns > before, seconds=40, what="a sign of life")


@pytest.mark.parametrize("content", [None, "1\n"], ids=["removed", "replaced"])
def test_a_lost_lock_file_is_told_once_and_the_command_goes_on(place: Place, content: str | None) -> None:
    done = place.root / "done"
    runner = place.start(*TINY, "sh", "-c", f"while [ ! -e {done} ]; do sleep 0.1; done; exit 3")
    place.holder_pid()
    place.lock.unlink()
    if content is not None:
        place.lock.write_text(content)
    place.until_said(runner, "the lock file was removed or replaced while we held it. The command goes on")
    assert runner.poll() is None
    done.touch()
    assert runner.wait(120) == 3
    assert place.err(runner).count("Attention") == 1


def test_a_lock_disk_that_cannot_be_written_is_not_waited_for(place: Place) -> None:
    (place.root / "locks").write_text("a file in the place of the folder")
    code, _, err = place.run(*WAITING, "true")
    assert code == 75
    assert err.count("Blocked by lock") == 1
