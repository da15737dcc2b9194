"""A job on a machine that grows hot: it rests, is paused, goes on, is ended, comes back, and its text is the same."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.hot_machine import Thermometer, hot_panel, state_of
from tests.support.panel import Panel, until
from tests.support.speech_files import Recording, joined
from tests.support.windows import assert_windows_taken_over, until_it_decodes

pytestmark = pytest.mark.usefixtures("namespaces")

# One temperature, so that a window is decoded once and takes about as long as the next.
PLAIN = {"language": "en", "temperature_increment_on_fallback": "None"}


def wait_for_state(pid: int, *states: str, what: str) -> None:
    until(lambda: state_of(pid) in states, seconds=20, what=f"{what}; it is {state_of(pid)!r}")


def activity(panel: Panel, job_id: int, start: str) -> str:
    return str(
        until(
            lambda: (now := panel.job(job_id)["activity"]).startswith(start) and now,
            seconds=20,
            what=f"it says {start}; it says {panel.job(job_id)['activity']!r}",
        )
    )


def held_seconds(panel: Panel, job_id: int) -> dict[str, float]:
    total: dict[str, float] = {}
    for row in panel.rows("SELECT held_seconds FROM transcribe_attempt WHERE job_id = ?", job_id):
        for kind, seconds in json.loads(row["held_seconds"]).items():
            total[kind] = total.get(kind, 0.0) + seconds
    return total


def outcomes(panel: Panel, job_id: int) -> list[str]:
    """Without the questions to a gate that was still shut."""
    rows = panel.rows("SELECT outcome FROM transcribe_attempt WHERE job_id = ? ORDER BY number", job_id)
    return [row["outcome"] for row in rows if row["outcome"] != "blocked"]


def told(panel: Panel) -> list[tuple[str, str]]:
    """Kind and status of each incident of heat."""
    rows = panel.rows("SELECT kind, status FROM gate_incident WHERE kind LIKE 'thermal%' AND host != 'mac-mini-2012'")
    return sorted((row["kind"], row["status"]) for row in rows)


def recording(tmp_path: Path) -> Recording:
    """Some seconds of work on a quiet machine, most of which the engine is held in; more on a busy one."""
    return joined(tmp_path / "talk.wav", minutes=2)


def started(panel: Panel, job_id: int) -> int:
    """The engine's PID as soon as it is there: it loads its model then."""
    until(lambda: panel.job(job_id)["status"] == "running" and panel.engines(), seconds=60, what="an engine starts")
    (engine,) = panel.engines()
    return engine.pid


def test_it_rests_pauses_goes_on_is_ended_and_comes_back(hot: tuple[Panel, Thermometer], tmp_path: Path) -> None:
    panel, thermometer = hot
    audio = joined(tmp_path / "talk.wav", minutes=4).path
    job_id = panel.submit(audio, **PLAIN)
    engine = started(panel, job_id)
    until_it_decodes(panel, job_id)
    thermometer.set(72.0)
    assert activity(panel, job_id, "Resting") == "Resting 12 % of the time for heat: 72.0 °C"
    thermometer.set(82.0)
    assert activity(panel, job_id, "Paused") == "Paused for heat: 82.0 °C, goes on below 75.0 °C"
    time.sleep(2.5)  # longer than any rest
    assert state_of(engine) == "T"
    thermometer.set(74.0)
    assert activity(panel, job_id, "Resting") == "Resting 24 % of the time for heat: 74.0 °C"
    wait_for_state(engine, "R", "S", "D", what="it goes on")
    until(
        lambda: told(panel) == [("thermal_pause", "resolved")],
        seconds=60,
        what=f"it tells of it: {told(panel)}",
    )
    wait_for_state(engine, "T", what="it rests in between")
    logs = panel.data_dir / "logs"
    until(
        lambda: any("was loaded in" in log.read_text() for log in logs.glob("engine-*.log")),
        seconds=60,
        what="the engine has written something",
    )
    until_it_decodes(panel, job_id)
    thermometer.set(91.0)
    job = panel.wait_for_job(job_id, "blocked", seconds=30)
    until(lambda: state_of(engine) == "", seconds=15, what="the engine is gone")
    until(lambda: panel.lock_path.read_text() == "", seconds=15, what="the lock is free")
    assert "91.0 °C" in job["reason"]
    expected = [("thermal_end", "open"), ("thermal_pause", "resolved")]
    until(lambda: told(panel) == expected, seconds=60, what=f"it tells of the end: {told(panel)}")
    (ended,) = panel.rows("SELECT job_ref, measures FROM gate_incident WHERE kind = 'thermal_end'")
    assert ended["job_ref"] == f"job {job_id}"
    assert [(m["value"], m["limit"]) for m in json.loads(ended["measures"]) if m["unit"] == "°C"] == [(91.0, 90.0)]
    (piece,) = panel.rows(
        "SELECT text, file_name FROM gate_incidentevidence AS e JOIN gate_incident AS i ON i.id = e.incident_id"
        " WHERE i.kind = 'thermal_end'"
    )
    assert "was loaded in" in piece["text"], "the end of what the engine wrote"
    assert (panel.data_dir / "logs" / piece["file_name"]).is_file()
    assert job["next_try_at"] is not None
    thermometer.set(74.0)
    panel.wait_for_job(job_id, "succeeded", seconds=240)
    assert outcomes(panel, job_id) == ["machine_ended", "succeeded"]
    held = held_seconds(panel, job_id)
    assert held["heat pause"] >= 2.5
    assert held["heat rest"] > 0
    panel.login()
    assert "Held for heat" in panel.get(f"/jobs/{job_id}/")

    thermometer.set(60.0)
    undisturbed = panel.submit(audio, **PLAIN)
    panel.wait_for_job(undisturbed, "succeeded", seconds=240)
    assert held_seconds(panel, undisturbed) == {}
    assert panel.text(job_id) == panel.text(undisturbed)
    assert_windows_taken_over(panel, job_id, undisturbed)


def test_one_that_somebody_wakes_is_paused_again(hot: tuple[Panel, Thermometer], tmp_path: Path) -> None:
    panel, thermometer = hot
    job_id = panel.submit(recording(tmp_path).path, **PLAIN)
    engine = started(panel, job_id)
    thermometer.set(82.0)
    activity(panel, job_id, "Paused")
    os.killpg(engine, signal.SIGCONT)
    wait_for_state(engine, "T", what="as hot as it was, so it stands still again")
    thermometer.set(60.0)
    panel.wait_for_job(job_id, "succeeded", seconds=240)


def test_a_long_pause_ends_it_and_it_comes_back(tmp_path: Path) -> None:
    panel, thermometer = hot_panel(tmp_path, 60.0, J5A_ENGINE_THREADS="1", J5A_PAUSE_LIMIT_SECONDS="10")
    try:
        panel.start()
        job_id = panel.submit(recording(tmp_path).path, **PLAIN)
        engine = started(panel, job_id)
        thermometer.set(82.0)
        job = panel.wait_for_job(job_id, "blocked", seconds=60)
        assert state_of(engine) == ""
        assert job["reason"].startswith("Ended for heat: paused for heat longer than 10 s.")
        assert told(panel) == [("thermal_end", "open"), ("thermal_pause", "resolved")]
        thermometer.set(60.0)
        panel.wait_for_job(job_id, "succeeded", seconds=240)
        assert outcomes(panel, job_id) == ["machine_ended", "succeeded"]
    finally:
        panel.stop()


def test_a_paused_job_can_be_cancelled(hot: tuple[Panel, Thermometer], tmp_path: Path) -> None:
    panel, thermometer = hot
    job_id = panel.submit(recording(tmp_path).path, **PLAIN)
    engine = started(panel, job_id)
    thermometer.set(82.0)
    activity(panel, job_id, "Paused")
    record = panel.lock_path.with_name("whisper_large.lock.json")
    before = record.stat().st_mtime_ns
    until(lambda: record.stat().st_mtime_ns > before, seconds=20, what="the lock shows life while it is paused")
    panel.login()
    panel.post_form(f"/jobs/{job_id}/cancel/", {}, page=panel.get(f"/jobs/{job_id}/"))
    panel.wait_for_job(job_id, "cancelled", seconds=15)
    assert state_of(engine) == ""
    until(
        lambda: told(panel) == [("thermal_pause", "resolved")],
        seconds=60,
        what=f"it is over: {told(panel)}",
    )


def test_a_stop_of_the_service_ends_a_paused_engine(hot: tuple[Panel, Thermometer], tmp_path: Path) -> None:
    panel, thermometer = hot
    job_id = panel.submit(recording(tmp_path).path, **PLAIN)
    engine = started(panel, job_id)
    thermometer.set(82.0)
    wait_for_state(engine, "T", what="paused")
    panel.stop()  # asserts that nothing is left
    assert state_of(engine) in ("", "Z")
    assert panel.job(job_id)["status"] == "queued"
    thermometer.set(60.0)
    panel.up()
    panel.wait_for_job(job_id, "succeeded", seconds=240)


def test_a_worker_that_dies_takes_a_paused_engine_with_it(hot: tuple[Panel, Thermometer], tmp_path: Path) -> None:
    panel, thermometer = hot
    job_id = panel.submit(recording(tmp_path).path, **PLAIN)
    engine = started(panel, job_id)
    thermometer.set(82.0)
    activity(panel, job_id, "Paused")
    panel.child("worker").kill()
    until(lambda: state_of(engine) in ("", "Z"), seconds=15, what="the stopped engine is gone")
    thermometer.set(60.0)
    panel.wait_for_job(job_id, "succeeded", seconds=240)
    assert outcomes(panel, job_id) == ["worker_lost", "succeeded"]


# Holds the panel's database for itself until its stdin closes.
LOCKER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
database.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_locked_database_does_not_keep_it_from_pausing(hot: tuple[Panel, Thermometer], tmp_path: Path) -> None:
    panel, thermometer = hot
    job_id = panel.submit(recording(tmp_path).path, **PLAIN)
    engine = started(panel, job_id)
    database = panel.data_dir / "j5a.sqlite3"
    locker = subprocess.Popen(
        [sys.executable, "-c", LOCKER, str(database)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert locker.stdout is not None
        assert locker.stdout.readline() == "locked\n"
        begun = time.monotonic()
        thermometer.set(85.0)
        wait_for_state(engine, "T", what="stopped although the database is locked")
        with (
            pytest.raises(sqlite3.OperationalError),
            sqlite3.connect(panel.data_dir / "j5a.sqlite3", timeout=0.1) as other,
        ):
            other.execute("BEGIN IMMEDIATE")
        time.sleep(max(0.0, begun + 10 - time.monotonic()))
        assert state_of(engine) == "T"
    finally:
        with suppress(OSError):
            locker.communicate("")
    until(
        lambda: told(panel) == [("thermal_pause", "open")],
        seconds=60,
        what=f"it is brought in: {told(panel)}",
    )
    thermometer.set(60.0)
    panel.wait_for_job(job_id, "succeeded", seconds=240)
    assert outcomes(panel, job_id) == ["succeeded"]
