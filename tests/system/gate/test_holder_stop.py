"""Stopping the holder of the lock with real processes: its whole group, nothing else, and only what a person saw."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_django import Settings

from gate.models import LockEvent, LockEventKind
from gate.services import holder_refusal, holder_stop, lock_acquire, lock_release, lock_status
from tests.support.groups import STUBBORN, TIDY, is_running, members, working_group
from tests.support.panel import BASE_DIR
from tests.system.gate.test_old_script import OLD_SCRIPT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("machine")]


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """For those that use the time up: they do not obey."""
    monkeypatch.setattr("gate.core.groups._TERM_SECONDS", 1.0)


@pytest.fixture
def old_script(settings: Settings) -> Iterator[int]:
    """An older script that holds the lock its way; its PID."""
    path = Path(settings.GATE_LOCK_PATH)
    path.parent.mkdir(mode=0o700)
    script = subprocess.Popen(
        ["bash", "-c", OLD_SCRIPT, "old", str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert script.stdout is not None
    assert script.stdout.readline() == "held\n"
    yield script.pid
    script.kill()
    script.communicate()


def last_event() -> tuple[str, str, str, int | None]:
    event = LockEvent.objects.order_by("-pk").first()
    assert event is not None
    return event.kind, event.who, event.why, event.pid


# ── what may be stopped ──────────────────────────────────────────────────────────────────────────
def test_it_ends_a_group_that_obeys() -> None:
    with working_group() as pid:
        stopped = holder_stop("anna", "in the way", expected_pid=pid)
        assert members(pid) == []
    assert (stopped.is_gone, stopped.by_force, stopped.group, stopped.left) == (True, False, pid, ())
    assert stopped.sentence == f"Process group {pid} was ended by SIGTERM; no process of it is left."


@pytest.mark.usefixtures("short_grace")
def test_it_ends_by_force_a_group_that_does_not_obey_and_nothing_is_left() -> None:
    with working_group(STUBBORN) as pid:
        assert len(members(pid)) == 2
        stopped = holder_stop("anna", "", expected_pid=pid)
        assert members(pid) == []
    assert (stopped.is_gone, stopped.by_force) == (True, True)


def test_it_lets_a_paused_one_go_on_so_that_it_can_obey() -> None:
    with working_group(TIDY) as pid:
        os.kill(pid, signal.SIGSTOP)
        stopped = holder_stop("anna", "", expected_pid=pid)
        assert members(pid) == []
    assert (stopped.is_gone, stopped.by_force) == (True, False)


def test_the_lock_can_be_taken_once_its_only_holder_was_stopped(settings: Settings) -> None:
    command = [sys.executable, "-m", "tests.support.lock_child", str(settings.GATE_LOCK_PATH)]
    child = subprocess.Popen(
        command, cwd=BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        assert holder_stop("anna", "", expected_pid=child.pid).is_gone
    finally:
        child.kill()
        child.communicate()
    assert lock_release(lock_acquire(model="demo"))


def test_who_stopped_it_and_why_is_kept_with_the_proof() -> None:
    with working_group(job_ref="gate run") as pid:
        holder_stop("anna", "in the way", expected_pid=pid)
        kind, who, why, event_pid = last_event()
    assert (kind, who, event_pid) == (LockEventKind.STOPPED, "anna", pid)
    assert why == f"in the way. Process group {pid} was ended by SIGTERM; no process of it is left."
    evidence = LockEvent.objects.get(kind=LockEventKind.STOPPED).evidence
    assert evidence["state"] == "held"
    assert f"PID {pid}: has it" in evidence["proof"]


# ── what may not ─────────────────────────────────────────────────────────────────────────────────
def refused(expected_pid: int) -> str:
    """The reason, after it was seen that the refusal is kept and says the same."""
    answer = holder_stop("anna", "in the way", expected_pid=expected_pid)
    assert not answer.is_gone
    assert answer.sentence == f"Not stopped: {answer.refusal}."
    kind, who, why, _ = last_event()
    assert (kind, who, why) == (LockEventKind.REFUSED, "anna", f"stopping refused: {answer.refusal}")
    return answer.refusal


def test_another_holder_than_the_one_seen_is_left_alone() -> None:
    with working_group() as pid:
        assert refused(pid - 1) == f"PID {pid} holds it by now, not PID {pid - 1}"
        assert is_running(pid)


def test_a_holder_that_leads_no_group_is_left_alone() -> None:
    with working_group(own_group=False) as pid:
        assert f"PID {pid} does not lead a process group of its own" in refused(pid)
        assert is_running(pid)


def test_this_very_process_is_left_alone() -> None:
    held = lock_acquire(model="demo")
    try:
        assert "does not lead a process group of its own" in refused(os.getpid())
    finally:
        lock_release(held)


def test_an_older_script_is_left_alone(old_script: int) -> None:
    assert "nobody holds it by the kernel lock" in refused(old_script)
    assert is_running(old_script)


def test_a_free_lock_has_nobody_to_stop() -> None:
    assert "nobody holds it by the kernel lock (free)" in refused(4711)


def test_a_process_that_has_only_the_pid_of_the_holder_is_left_alone() -> None:
    held = lock_acquire(model="demo")
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    try:
        held.update_pid(other.pid)
        held.update(replace(held.record, start_ticks=(held.record.start_ticks or 0) - 1))
        assert refused(other.pid) == f"PID {other.pid} is not the process any more that took it"
        assert other.poll() is None
    finally:
        other.communicate(b"\n")
        lock_release(held)


def test_a_holder_on_another_host_is_left_alone(settings: Settings) -> None:
    with working_group() as pid:
        settings.HOST_ID = "other"
        assert refused(pid) == "its holder is on another host, mini"
        assert is_running(pid)


def test_a_look_at_whether_it_may_be_stopped_stops_nothing() -> None:
    with working_group() as pid:
        assert holder_refusal(lock_status()) == ""
        assert is_running(pid)
        assert not LockEvent.objects.filter(kind=LockEventKind.REFUSED).exists()
