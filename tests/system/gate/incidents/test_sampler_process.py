"""A real sampler process: killed, stopped in order, stopped for a while (SIGSTOP), and started in another boot."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest

from gate.core.identity import record_for
from gate.core.lockfile import HeavyLock
from tests.support.journal import write_journal
from tests.support.machines import BOOT_ID, another_boot, in_place_of
from tests.support.panel import BASE_DIR, Panel, until

STALL_SECONDS = 10  # a loaded machine may keep a process waiting for a few seconds


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that is migrated once for all tests of this file."""
    panel = Panel(tmp_path_factory.mktemp("template"))
    done = panel.manage("migrate", "--verbosity=0", timeout=240)
    assert done.returncode == 0, done.stderr
    return panel.data_dir / "j5a.sqlite3"


@pytest.fixture
def panel(template: Path, tmp_path: Path) -> Panel:
    made = Panel(tmp_path / "p", J5A_STALL_SECONDS=str(STALL_SECONDS))
    made.data_dir.mkdir(parents=True, mode=0o700)
    (made.data_dir / "j5a.sqlite3").write_bytes(template.read_bytes())
    return made


@contextmanager
def sampler(panel: Panel, *before: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run until the block ends; killed then, if it still lives."""
    command = [*before, sys.executable, "manage.py", "sampler"]
    with panel.log_path.open("ab") as log:
        process = subprocess.Popen(
            command, cwd=BASE_DIR, env=panel.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def looks(panel: Panel) -> list[dict[str, Any]]:
    lines = [line for path in (panel.data_dir / "blackbox").glob("?.jsonl") for line in path.read_text().splitlines()]
    return [found["look"] for line in lines if "look" in (found := json.loads(line))]


def incidents(panel: Panel) -> list[dict[str, Any]]:
    """Without the one that ships."""
    rows = panel.rows("SELECT * FROM gate_incident WHERE host != 'mac-mini-2012' ORDER BY id")
    return [dict(row) for row in rows]


def evidence(panel: Panel) -> dict[str, str]:
    return {row["title"]: row["text"] for row in panel.rows("SELECT title, text FROM gate_incidentevidence")}


def one_incident(panel: Panel) -> dict[str, Any]:
    until(lambda: incidents(panel), seconds=60, what=f"an incident; log:\n{panel.log()[-2000:]}")
    (incident,) = incidents(panel)
    return incident


def recorded(panel: Panel, process: subprocess.Popen[bytes], count: int) -> None:
    def enough() -> bool:
        assert process.poll() is None, panel.log()
        return len(looks(panel)) >= count

    until(enough, seconds=60, what=f"{count} looks in the black box; log:\n{panel.log()[-2000:]}")


def recorded_and_killed(panel: Panel) -> None:
    with sampler(panel) as process:
        recorded(panel, process, 2)


def test_after_a_kill_the_next_start_tells_of_it_with_the_last_readings(panel: Panel) -> None:
    with sampler(panel) as process:
        recorded(panel, process, 3)
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = looks(panel)
    with sampler(panel):
        incident = one_incident(panel)
    assert (incident["kind"], incident["subject"], incident["status"]) == ("unclean_shutdown", "sampler", "open")
    assert "the panel's sampler was killed" in incident["summary"]
    assert "the lock was free" in incident["summary"]
    readings = evidence(panel)["Readings of the last minute"].splitlines()
    assert len(readings) == len(before)
    assert all("GiB available" in line or "MiB available" in line for line in readings)
    assert any(title.startswith("Kernel lines") for title in evidence(panel))
    assert {m["name"] for m in json.loads(incident["measures"])} >= {"available memory"}


def test_a_look_says_once_who_holds_the_lock_and_for_what(panel: Panel) -> None:
    lock = HeavyLock(panel.lock_path)
    with lock.acquire(record_for(os.getpid(), machine=lock.machine, job_ref="job 7")), sampler(panel):
        told = until(lambda: [look["lock"] for look in looks(panel) if look["lock"]], seconds=60, what="it is told")
    assert told[0] == f"held by PID {os.getpid()} for job 7"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_after_an_end_in_order_there_is_none(panel: Panel, number: signal.Signals) -> None:
    with sampler(panel) as process:
        recorded(panel, process, 2)
        process.send_signal(number)
        assert process.wait(120) == 0, panel.log()
    size = len(looks(panel))
    with sampler(panel) as process:
        recorded(panel, process, size + 1)
    assert incidents(panel) == []


def test_in_another_boot_the_machine_went_down(panel: Panel, namespaces: None, tmp_path: Path) -> None:
    recorded_and_killed(panel)
    with sampler(panel, *in_place_of(another_boot(tmp_path))):
        incident = one_incident(panel)
    assert (incident["kind"], incident["subject"]) == ("unclean_shutdown", "machine")
    assert "the machine went down" in incident["summary"]
    assert "power cut" in incident["causes"]


def test_the_kernel_lines_are_those_of_the_boot_that_ended(panel: Panel, namespaces: None, tmp_path: Path) -> None:
    """A real journal; in another boot, between, the panel was not started."""
    recorded_and_killed(panel)
    ended, between, now = BOOT_ID.read_text().strip(), str(uuid.uuid4()), str(uuid.uuid4())
    boots = {boot: f"Out of memory: Killed process 42 (boot {boot})" for boot in (ended, between, now)}
    look_alikes = {"/var/log": write_journal(tmp_path / "log", boots)}
    with sampler(panel, *in_place_of(look_alikes | another_boot(tmp_path, now))):
        one_incident(panel)
    lines = evidence(panel)["Kernel lines of the boot that ended (journalctl)"]
    assert f"(boot {ended})" in lines
    assert between not in lines
    assert now not in lines


def test_a_journal_without_that_boot_is_told(panel: Panel, namespaces: None, tmp_path: Path) -> None:
    recorded_and_killed(panel)
    now = str(uuid.uuid4())
    look_alikes = {"/var/log": write_journal(tmp_path / "log", {now: "Out of memory: Killed process 42"})}
    with sampler(panel, *in_place_of(look_alikes | another_boot(tmp_path, now))):
        one_incident(panel)
    text = evidence(panel)["Kernel lines"]
    assert text.startswith("journalctl: exit code 1: "), "its own words, which are others in each version"
    assert "make the directory" not in text, "it is there"
    assert "Killed process" not in text


def test_what_was_killed_again_and_again_is_one_incident(panel: Panel) -> None:
    for kills in range(3):
        with sampler(panel) as process:
            count = len(looks(panel))
            until(lambda: len(looks(panel)) != count, seconds=60, what="it records")  # noqa: B023
            recorded(panel, process, 1)
            told = [incident["count"] for incident in incidents(panel)]
            assert told == ([kills] if kills else [])


def test_a_sampler_that_stood_still_tells_of_a_stall(panel: Panel) -> None:
    with sampler(panel) as process:
        recorded(panel, process, 2)
        process.send_signal(signal.SIGSTOP)
        until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED, seconds=30, what="it is stopped")
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(STALL_SECONDS + 2)
        process.send_signal(signal.SIGCONT)
        incident = one_incident(panel)
        assert process.poll() is None
    assert (incident["kind"], incident["subject"], incident["status"]) == ("stall", "stalled", "open")
    assert "did not get to look" in incident["summary"]
    gap = next(m for m in json.loads(incident["measures"]) if m["name"] == "time between two looks")
    assert gap["value"] > gap["limit"] == STALL_SECONDS
    assert "available" in evidence(panel)["Readings of the minute before"]


def test_a_locked_database_does_not_hold_up_the_black_box(panel: Panel) -> None:
    """Another program holds the lock. Whoever has the usual patience for it, 30 s, looks at nothing meanwhile."""
    panel.lock_path.parent.mkdir()
    panel.lock_path.write_text(f"{os.getpid()}\n")  # somebody works: samples are stored every five seconds
    with sampler(panel) as process:
        recorded(panel, process, 3)
        with closing(sqlite3.connect(panel.data_dir / "j5a.sqlite3", isolation_level=None, timeout=60)) as other:
            other.execute("BEGIN IMMEDIATE")
            begun = time.time()
            recorded(panel, process, len(looks(panel)) + 12)
            other.execute("ROLLBACK")
        moments = sorted([begun, *(look["at"] for look in looks(panel) if look["at"] > begun)])
        assert max(after - before for before, after in pairwise(moments)) < 25, moments
        stored = len(panel.rows("SELECT id FROM gate_sensorsample"))
        until(
            lambda: len(panel.rows("SELECT id FROM gate_sensorsample")) > stored,
            seconds=60,
            what=f"samples are stored again; log:\n{panel.log()[-2000:]}",
        )


def test_a_black_box_of_rubbish_stops_no_sampler(panel: Panel) -> None:
    box = panel.data_dir / "blackbox"
    box.mkdir(mode=0o700)
    (box / "a.jsonl").write_bytes(os.urandom(5000))
    (box / "b.jsonl").write_bytes(b"\0" * 5000)
    with sampler(panel) as process:
        until(lambda: panel.rows("SELECT id FROM gate_sensorsample"), seconds=60, what=f"samples; {panel.log()}")
        assert process.poll() is None
    assert incidents(panel) == []


def test_it_stays_small(panel: Panel) -> None:
    """40 MB for itself were measured (39 before there was a black box); with room for another build of Python."""
    with sampler(panel) as process:
        recorded(panel, process, 5)
        unique_bytes = psutil.Process(process.pid).memory_full_info().uss
    assert unique_bytes <= 45 * 10**6


OPENED = """
import time
from gate.core.incidents.kinds import IncidentKind
from gate.services import incident_report
for kind in (IncidentKind.THERMAL_END, IncidentKind.BAD_SENSOR):
    incident_report(kind, "engine", "It happened.", at=time.time() - 6)
incident_report(IncidentKind.MEMORY_END, "engine", "It happened long ago.", at=time.time() - 3600)
"""


def test_what_the_kernel_may_explain_gets_its_lines_once(panel: Panel) -> None:
    done = panel.manage("shell", "--no-imports", "-c", OPENED)
    assert done.returncode == 0, done.stderr
    query = (
        "SELECT i.kind, e.title FROM gate_incidentevidence AS e JOIN gate_incident AS i ON i.id = e.incident_id"
        " WHERE i.summary LIKE 'It happened%'"
    )
    with sampler(panel) as process:
        until(lambda: panel.rows(query), seconds=60, what=f"kernel lines; log:\n{panel.log()[-2000:]}")
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(12)  # it looks every ten
    ((kind, title),) = panel.rows(query)
    assert kind == "thermal_end"
    assert title.startswith("Kernel lines")
