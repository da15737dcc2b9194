"""`kill -9` of `gate run`: the whole group of its command ends, under the lock until the last has gone."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from gate.core.errors import LockHeld
from tests.support.panel import until
from tests.support.run_place import TINY, HotPlace, Place, is_running, status_of

# Two processes of one group; the marker says that both run.
FAMILY = "sleep 300 & touch {ready}; wait"
STUBBORN = "trap '' TERM; sleep 300 & touch {ready}; while :; do sleep 1; done"


def start_family(place: Place, script: str) -> tuple[int, int]:
    """PIDs of `gate run` and of its command, when all of the command runs."""
    ready = place.root / "ready"
    runner = place.start(*TINY, "sh", "-c", script.format(ready=ready))
    leader = place.holder_pid()
    until(ready.exists, seconds=40, what="the command runs")
    until(lambda: len(place.work()) >= 2, seconds=40, what="its child runs, too")
    return runner.pid, leader


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def test_the_child_of_the_command_ends_with_it(place: Place) -> None:
    runner, _ = start_family(place, FAMILY)
    kill(runner)
    place.watch_until_gone()


def test_a_command_that_ignores_sigterm_is_killed_and_holds_the_lock_until_then(place: Place) -> None:
    runner, leader = start_family(place, STUBBORN)
    kill(runner)
    (guardian,) = place.guardians()
    until(lambda: place.line_pid() == guardian, seconds=40, what="the line names the guardian")
    with pytest.raises(LockHeld, match=f"held by PID {guardian} for gate run"):
        place.take(timeout_seconds=0)
    assert is_running(leader)  # it has ten seconds
    place.watch_until_gone()


def test_a_paused_command_ends_as_well(place: Place) -> None:
    runner, leader = start_family(place, FAMILY)
    os.killpg(leader, signal.SIGSTOP)
    until(lambda: status_of(leader) == psutil.STATUS_STOPPED, seconds=40, what="it rests")
    kill(runner)
    place.watch_until_gone()


def test_a_command_paused_for_heat_ends_as_well(hot_place: HotPlace) -> None:
    runner = hot_place.start_hot("sleep", "300")
    leader = hot_place.holder_pid()
    hot_place.set_celsius(83.0)
    until(lambda: status_of(leader) == psutil.STATUS_STOPPED, seconds=40, what="paused at 83")
    kill(runner.pid)
    hot_place.watch_until_gone()


@pytest.mark.parametrize("after_ms", [0, 1, 2, 4, 8])
def test_killed_in_its_first_milliseconds_it_leaves_nothing(place: Place, after_ms: int) -> None:
    """Counted from the moment at which the line names the guardian: before the command is even forked."""
    runner = place.start(*TINY, "sh", "-c", "sleep 300 & sleep 300")
    deadline = time.monotonic() + 120
    while place.line_pid() in (0, runner.pid):
        assert time.monotonic() < deadline, place.err(runner)
        time.sleep(0.0002)
    time.sleep(after_ms / 1000)
    kill(runner.pid)
    place.watch_until_gone()


def test_what_has_outlived_its_leader_ends_as_well(place: Place) -> None:
    runner = place.start(*TINY, "sh", "-c", "sleep 300 >/dev/null 2>&1 & exit 3")
    place.until_said(runner, "The command has ended with 3")
    kill(runner.pid)
    place.watch_until_gone()


def test_a_lost_guardian_is_replaced_and_the_new_one_knows_the_group(place: Place) -> None:
    runner, _ = start_family(place, FAMILY)
    (first,) = place.guardians()
    kill(first)
    until(lambda: place.guardians() - {first}, seconds=40, what="another guardian")
    kill(runner)
    place.watch_until_gone()


def test_the_guardian_is_deaf_to_what_is_meant_for_the_command(place: Place) -> None:
    start_family(place, FAMILY)
    (guardian,) = place.guardians()
    assert os.getsid(guardian) == guardian
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGUSR1):
        os.kill(guardian, number)
    time.sleep(0.5)
    assert status_of(guardian) == psutil.STATUS_SLEEPING


def test_asked_to_end_as_the_holder_it_ends_what_is_left_of_the_group(place: Place) -> None:
    """The panel's “stop the holder” sends SIGTERM to the group of the process in the line."""
    runner = place.start(*TINY, "sh", "-c", "sleep 300 >/dev/null 2>&1 & exit 3")
    place.until_said(runner, "The command has ended with 3")
    assert place.line_pid() in place.guardians()
    os.killpg(place.line_pid(), signal.SIGTERM)
    assert runner.wait(120) == 3
    assert place.lock.read_text() == ""


def test_nobody_waits_for_the_guardian_to_close_an_output(place: Place) -> None:
    start_family(place, STUBBORN)
    (guardian,) = place.guardians()
    for number in (0, 1, 2):
        assert str(Path(f"/proc/{guardian}/fd/{number}").readlink()) == "/dev/null"


def test_the_guardian_goes_when_the_command_ends(place: Place) -> None:
    runner = place.start(*TINY, "sh", "-c", "exit 4")
    assert runner.wait(120) == 4
    assert place.marked() == set()
    assert place.lock.read_text() == ""
