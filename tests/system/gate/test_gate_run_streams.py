"""A stderr that is full, closed or not read: the command runs on, is watched, and its own exit code comes out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import psutil

from tests.support.panel import until
from tests.support.pipes import full_pipe, unread_pipe
from tests.support.run_place import TINY, HotPlace, Place, status_of

# It has something to say: what is left of the group, once the shell has ended.
TALKS = "sleep 0.5 >/dev/null 2>&1 & exit 7"


def in_shell(place: Place, redirection: str, script: str = TALKS) -> int:
    words = " ".join(["manage.py", "gate", *TINY])
    line = f'"$0" {words} sh -c "$1" {redirection}'
    return place.start_any(["bash", "-c", line, sys.executable, script]).wait(120)


def test_a_full_stderr_does_not_change_the_exit_code(place: Place) -> None:
    assert in_shell(place, "2>/dev/full") == 7


def test_full_in_both_directions_neither(place: Place) -> None:
    assert in_shell(place, ">/dev/full 2>&1") == 7


def test_a_closed_stderr_neither(place: Place) -> None:
    assert in_shell(place, "2>&-") == 7


def test_all_three_closed_neither(place: Place) -> None:
    assert in_shell(place, "<&- >&- 2>&-") == 7


def test_a_stderr_that_nobody_reads_any_more_neither(place: Place) -> None:
    write = unread_pipe()
    runner = place.start(*TINY, "sh", "-c", TALKS, stderr=write)
    os.close(write)
    assert runner.wait(120) == 7


def test_a_success_stays_one_and_a_signal_its_own(place: Place) -> None:
    assert in_shell(place, "2>/dev/full", "sleep 0.5 & exit 0") == 0
    assert in_shell(place, "2>/dev/full", "kill -9 $$") == 128 + signal.SIGKILL


def test_a_no_of_the_gate_stays_one(place: Place) -> None:
    with place.take():
        assert in_shell(place, "2>/dev/full") == 75


def test_a_full_pipe_does_not_hold_up_the_watch(place: Place) -> None:
    read, write = full_pipe()
    runner = place.start(*TINY, "sh", "-c", TALKS, stderr=write, stdout=subprocess.DEVNULL)
    os.close(write)
    until(lambda: runner.poll() is not None, seconds=40, what="it has ended")
    os.close(read)
    assert runner.returncode == 7


def test_nor_does_a_warning_that_the_heat_latch_cannot_be_kept(hot_place: HotPlace) -> None:
    """It goes to the log, which is the same full pipe, and comes just before the pause."""
    read, write = full_pipe()
    try:
        runner = hot_place.start_hot("sleep", "300", stderr=write, stdout=subprocess.DEVNULL)
        pid = hot_place.holder_pid()
        (hot_place.root / "locks" / "heat.json").mkdir()
        hot_place.set_celsius(83.0)
        until(lambda: status_of(pid) == psutil.STATUS_STOPPED, seconds=40, what="it is paused")
        runner.send_signal(signal.SIGTERM)
        until(lambda: runner.poll() is not None, seconds=40, what="it has ended")
        assert runner.returncode == 128 + signal.SIGTERM
    finally:
        os.close(write)
        os.close(read)
