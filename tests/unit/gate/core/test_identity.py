from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from gate.core.identity import (
    descriptor_holders,
    process_is,
    process_start_time,
    read_machine,
    read_process,
    record_for,
)


def test_this_process_is_alive_and_has_a_start() -> None:
    facts = read_process(os.getpid())
    assert facts.alive
    assert facts.start_ticks is not None


def test_a_process_that_was_waited_for_is_gone() -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    assert not read_process(child.pid).alive


def test_a_zombie_runs_nothing_and_counts_as_gone() -> None:
    child = subprocess.Popen(["sleep", "60"])
    os.kill(child.pid, signal.SIGKILL)
    end = time.monotonic() + 10
    while read_process(child.pid).alive and time.monotonic() < end:
        time.sleep(0.01)
    assert not read_process(child.pid).alive
    child.wait()


def test_a_process_that_may_not_be_signalled_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert read_process(1).alive


def test_process_is_tells_a_process_from_a_later_one_with_its_pid() -> None:
    child = subprocess.Popen(["sleep", "60"])
    try:
        started = process_start_time(child.pid)
        assert process_is(child.pid, started)
        assert not process_is(child.pid, "1@other")
        assert process_is(child.pid, "")
    finally:
        child.kill()
        child.wait()
    assert not process_is(child.pid, started)


def test_a_record_says_who_holds() -> None:
    record = record_for(os.getpid(), machine=read_machine("mini"), model="base", job_ref="7")
    assert (record.pid, record.host, record.model, record.job_ref) == (os.getpid(), "mini", "base", "7")
    assert "python" in record.command
    assert record.user
    assert record.boot_id == read_machine().boot_id


def test_this_process_is_found_as_a_holder_although_it_opens_descriptors_while_it_looks(tmp_path: Path) -> None:
    """The listing of /proc/self/fd names itself, by a lower number than the lock's, and is closed before it is read."""
    low = os.open("/dev/null", os.O_RDONLY)
    with (tmp_path / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.close(low)
        assert descriptor_holders(os.fstat(file.fileno())) == (os.getpid(),)
