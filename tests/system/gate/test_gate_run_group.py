"""`gate run` stays with the group of its command, and says what it cannot reach."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.support.machines import may_skip
from tests.support.panel import until
from tests.support.run_place import TINY, Place, is_running
from tests.system.gate.test_lock_processes import kill_quietly

LEFT = "The command has ended with 7; of its group still run: PID"


def test_it_holds_the_lock_for_what_outlives_the_command_and_gives_the_commands_code(place: Place) -> None:
    runner = place.start(*TINY, "sh", "-c", "sleep 300 >/dev/null 2>&1 & echo $!; exit 7")
    assert runner.stdout is not None
    child = int(runner.stdout.readline())
    place.until_said(runner, f"{LEFT} {child}.")
    assert runner.poll() is None
    assert place.run(*TINY, "true")[0] == 75
    os.kill(child, signal.SIGTERM)
    assert runner.wait(120) == 7
    assert place.err(runner).count(LEFT) == 1
    place.take().release()


def test_signals_reach_what_outlives_the_command(place: Place) -> None:
    runner = place.start(*TINY, "sh", "-c", "sleep 300 >/dev/null 2>&1 & exit 7")
    place.until_said(runner, LEFT)
    runner.send_signal(signal.SIGTERM)
    assert runner.wait(120) == 7
    assert place.marked() == set()


def test_what_left_the_group_keeps_the_lock_and_is_named(place: Place) -> None:
    # It has left when its group is another: only then does the shell end.
    script = "setsid sleep 300 >/dev/null 2>&1 & until [ $(ps -o pgid= -p $!) = $! ]; do :; done; echo $!"
    code, out, err = place.run(*TINY, "sh", "-c", script)
    child = int(out)
    try:
        assert code == 0
        assert "keeps the lock until it ends" in err
        assert place.lock.read_text() == f"{child}\n"
        assert place.run(*TINY, "true")[0] == 75
    finally:
        kill_quietly(child)
    place.take().release()


@pytest.fixture
def without_kill_right() -> tuple[str, ...]:
    """Words that take from a root process the right to signal other users' processes, as nobody else has it."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        may_skip("needs root and setpriv: a process of another user")
    return ("setpriv", "--bounding-set=-kill")


def test_a_command_of_another_user_is_held_under_the_lock_until_it_ends(
    place: Place, without_kill_right: tuple[str, ...]
) -> None:
    as_other = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    runner = place.start(*TINY, *as_other, "sleep", "300", before=without_kill_right)
    pid = place.holder_pid()
    until(lambda: Path(f"/proc/{pid}").stat().st_uid == 65534, seconds=40, what="it is the other user's")
    runner.send_signal(signal.SIGTERM)
    place.until_said(runner, f"PID {pid}: started by the command as another user")
    assert runner.poll() is None
    assert is_running(pid)
    assert place.is_locked()
    os.kill(pid, signal.SIGTERM)
    assert runner.wait(120) == 128 + signal.SIGTERM


def test_killed_itself_its_guardian_holds_the_lock_for_the_command_of_another_user(
    place: Place, without_kill_right: tuple[str, ...]
) -> None:
    as_other = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    runner = place.start(*TINY, *as_other, "sleep", "12", before=without_kill_right)
    pid = place.holder_pid()
    until(lambda: Path(f"/proc/{pid}").stat().st_uid == 65534, seconds=40, what="it is the other user's")
    os.kill(runner.pid, signal.SIGKILL)
    place.watch_until_gone()
