"""Signals to `gate run` and to its command: passed on, rested with, and what a person stops is not ended."""

from __future__ import annotations

import os
import signal

import psutil
import pytest

from tests.support.panel import until
from tests.support.run_place import TINY, Place, status_of


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_it_passes_signals_on(place: Place, number: signal.Signals) -> None:
    # Its child is killed by name: a signal to the group may find it between fork and exec, where it is lost.
    trap = f"trap 'echo heard; kill -9 $!; exit 9' {number.name[3:]}"
    runner = place.start(
        *TINY, "sh", "-c", f"{trap}; sleep 300 >/dev/null 2>&1 & echo up; wait",
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # ignored from the start, it would be kept so
    )  # fmt: skip
    assert runner.stdout is not None
    assert runner.stdout.readline() == "up\n"
    runner.send_signal(number)
    assert runner.communicate(timeout=120)[0] == "heard\n"
    assert runner.returncode == 9
    place.take().release()


def test_resting_it_rests_the_command_too(place: Place) -> None:
    runner = place.start(*TINY, "sleep", "300")
    pid = place.holder_pid()

    def states() -> set[str]:
        return {status_of(runner.pid), status_of(pid)}

    runner.send_signal(signal.SIGTSTP)
    until(lambda: states() == {psutil.STATUS_STOPPED}, seconds=40, what="both rest")
    runner.send_signal(signal.SIGCONT)
    until(lambda: psutil.STATUS_STOPPED not in states(), seconds=40, what="both go on")


def test_a_command_that_a_person_stops_is_said_and_not_ended(place: Place) -> None:
    runner = place.start(*TINY, "sh", "-c", "kill -STOP $$; exit 5")
    place.until_said(runner, "The command was stopped by SIGSTOP, not by the gate.")
    assert runner.poll() is None
    assert place.is_locked()
    os.killpg(place.holder_pid(), signal.SIGCONT)
    assert runner.wait(120) == 5
    assert place.err(runner).count("stopped by SIGSTOP") == 1


def test_it_knows_the_exit_code_although_it_was_started_with_sigchld_ignored(place: Place) -> None:
    # As some supervisors leave it: the kernel then keeps no exit code of anybody's child.
    code, _, err = place.run(
        *TINY, "sh", "-c", "exit 6", preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    )
    assert code == 6, err


def test_ctrl_c_while_waiting_ends_without_a_trace(place: Place) -> None:
    waiter = place.start(
        "wait", "--model", "tiny", margin="1000",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert waiter.stdout is not None
    assert "Blocked by memory" in waiter.stdout.readline()
    waiter.send_signal(signal.SIGINT)
    waiter.communicate(timeout=120)
    assert waiter.returncode == 130
    assert "Traceback" not in place.err(waiter)
