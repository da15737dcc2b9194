"""Heat under `gate run`, on a machine whose temperature the test sets: paused, woken to obey, ended."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import psutil

from tests.support.panel import until
from tests.support.run_place import HotPlace, is_running, status_of


def until_paused(pid: int) -> None:
    until(lambda: status_of(pid) == psutil.STATUS_STOPPED, seconds=40, what="it is paused")


def until_going(pid: int) -> None:
    until(lambda: status_of(pid) != psutil.STATUS_STOPPED, seconds=40, what="it goes on")


def told(place: HotPlace) -> list[tuple[str, str]]:
    """Kind and status of each incident, without the one that ships."""
    with closing(sqlite3.connect(place.root / "var" / "j5a.sqlite3", timeout=30)) as database:
        return database.execute("SELECT kind, status FROM gate_incident WHERE host != 'mac-mini-2012'").fetchall()


def test_it_pauses_the_command_at_80_and_lets_it_go_on_below_75(hot_place: HotPlace) -> None:
    runner = hot_place.start_hot("sleep", "300")
    pid = hot_place.holder_pid()
    hot_place.set_celsius(83.0)
    until_paused(pid)
    until((hot_place.root / "locks" / "heat.json").exists, seconds=30, what="the gate of every data directory is shut")
    hot_place.set_celsius(76.0)
    time.sleep(2.5)  # more than one look: nothing may come of it
    assert status_of(pid) == psutil.STATUS_STOPPED
    hot_place.set_celsius(74.9)
    until_going(pid)
    runner.send_signal(signal.SIGTERM)
    assert runner.wait(120) == 128 + signal.SIGTERM
    said = hot_place.err(runner)
    assert "Paused: 83.0 °C, limit 80.0 °C; goes on below 75.0 °C." in said
    assert "Goes on: 74.9 °C" in said
    assert told(hot_place) == [("thermal_pause", "resolved")]


def test_it_watches_on_where_no_thread_can_be_started(hot_place: HotPlace) -> None:
    """What it tells the database goes through threads; the command must neither run hot nor be ended for that."""
    runner = hot_place.start_hot("sleep", "300")
    pid = hot_place.holder_pid()
    size_bytes = psutil.Process(runner.pid).memory_info().vms
    resource.prlimit(runner.pid, resource.RLIMIT_AS, (size_bytes + 5 * 1024**2, resource.RLIM_INFINITY))  # a stack: 8
    hot_place.set_celsius(83.0)
    hot_place.until_said(runner, "Paused: 83.0 °C")
    hot_place.set_celsius(70.0)
    hot_place.until_said(runner, "Goes on: 70.0 °C")
    assert status_of(pid) != psutil.STATUS_STOPPED
    runner.send_signal(signal.SIGTERM)
    assert runner.wait(120) == 128 + signal.SIGTERM
    assert "Traceback" not in hot_place.err(runner)


def test_at_90_it_ends_the_command_with_75(hot_place: HotPlace) -> None:
    runner = hot_place.start_hot("sleep", "300")
    pid = hot_place.holder_pid()
    hot_place.set_celsius(91.0)
    assert runner.wait(120) == 75
    assert not is_running(pid)
    assert (hot_place.root / "locks" / "heat.json").exists()
    assert "Ended: 91.0 °C, limit 90.0 °C" in hot_place.err(runner)
    assert told(hot_place) == [("thermal_pause", "resolved"), ("thermal_end", "open")]


def test_a_sensor_that_never_answers_ends_the_command(hot_place: HotPlace) -> None:
    """And `gate run` itself does not wait for that sensor: it passes a signal on, and gives the lock back."""
    runner = hot_place.start_hot("sleep", "300")
    pid = hot_place.holder_pid()
    hot_place.fall_silent()
    assert runner.wait(120) == 75
    assert not is_running(pid)
    assert "Ended: the sensors could not be read for 30 s, and unwatched it may not run." in hot_place.err(runner)
    assert told(hot_place) == [("thermal_end", "open")]
    assert not (hot_place.root / "locks" / "heat.json").exists(), "it was not seen to be hot"


def test_while_a_sensor_does_not_answer_a_signal_is_passed_on(hot_place: HotPlace) -> None:
    runner = hot_place.start_hot("sleep", "300")
    hot_place.holder_pid()
    hot_place.fall_silent()
    time.sleep(8.0)  # longer than it is asked for
    runner.send_signal(signal.SIGTERM)
    asked_at = time.monotonic()
    assert runner.wait(120) == 128 + signal.SIGTERM
    assert time.monotonic() - asked_at < 20


def test_what_outlives_its_leader_is_paused_and_ended_too(hot_place: HotPlace, tmp_path: Path) -> None:
    runner = hot_place.start_hot("sh", "-c", f"sleep 300 >/dev/null 2>&1 & echo $! > {tmp_path}/child; exit 3")
    hot_place.until_said(runner, "The command has ended with 3")
    child = int((tmp_path / "child").read_text())
    hot_place.set_celsius(83.0)
    until_paused(child)
    hot_place.set_celsius(91.0)
    assert runner.wait(120) == 3  # the command's own, which had come before
    assert not is_running(child)


def test_a_paused_command_can_be_ended(hot_place: HotPlace) -> None:
    runner = hot_place.start_hot("sleep", "300")
    pid = hot_place.holder_pid()
    hot_place.set_celsius(84.0)
    until_paused(pid)
    runner.send_signal(signal.SIGINT)
    assert runner.wait(120) == 128 + signal.SIGINT
    assert told(hot_place) == [("thermal_pause", "resolved")]


def test_one_that_does_not_obey_is_paused_again(hot_place: HotPlace, tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    script = f"trap 'touch {heard}' TERM; touch {tmp_path}/ready; while :; do sleep 0.2; done"
    runner = hot_place.start_hot("sh", "-c", script)
    pid = hot_place.holder_pid()
    until((tmp_path / "ready").exists, seconds=40, what="its trap is set")
    hot_place.set_celsius(84.0)
    until_paused(pid)
    asked_at = time.monotonic()
    runner.send_signal(signal.SIGTERM)
    until(heard.exists, seconds=40, what="it was woken and heard it")
    hot_place.until_said(runner, "Paused again")
    assert time.monotonic() - asked_at >= 9.9  # it had its time to obey
    until_paused(pid)
    hot_place.set_celsius(50.0)
    until_going(pid)


def test_one_that_somebody_wakes_is_paused_again(hot_place: HotPlace) -> None:
    hot_place.start_hot("sh", "-c", "while :; do sleep 0.2; done")
    pid = hot_place.holder_pid()
    hot_place.set_celsius(84.0)
    until_paused(pid)
    os.killpg(pid, signal.SIGCONT)
    until_paused(pid)


def test_one_that_a_person_stopped_stays_so_when_the_heat_is_over(hot_place: HotPlace) -> None:
    runner = hot_place.start_hot("sleep", "300")
    pid = hot_place.holder_pid()
    os.kill(pid, signal.SIGSTOP)
    hot_place.until_said(runner, "stopped by SIGSTOP, not by the gate")
    hot_place.set_celsius(84.0)
    hot_place.until_said(runner, "Paused: 84.0 °C")
    hot_place.set_celsius(50.0)
    hot_place.until_said(runner, "stays as it was stopped")
    assert status_of(pid) == psutil.STATUS_STOPPED
    assert runner.poll() is None
