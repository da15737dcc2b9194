from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from psutil._ntuples import sfan, shwtemp

from gate.core import cgroups, sensors
from gate.core.evaluate import evaluate
from gate.core.hysteresis import Latch
from gate.core.policy import GatePolicy
from gate.core.readings import LockState, Snapshot
from gate.core.requirement import Requirement
from gate.core.sensors import SensorMemory, take_snapshot
from gate.core.units import GIB

POLICY = GatePolicy()


def take(tmp_path: Path, known: SensorMemory | None = None, own_pids: frozenset[int] = frozenset()) -> Snapshot:
    known = SensorMemory() if known is None else known
    return take_snapshot(POLICY, tmp_path / "x.lock", known=known, own_pids=own_pids)


@pytest.fixture
def no_sensor_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only psutil answers, whatever sensors the machine that runs the tests has."""
    monkeypatch.setattr(sensors, "hwmon_inputs", dict)
    monkeypatch.setattr(sensors, "read_zones", list)


def fail(*_: Any, **__: Any) -> Any:
    raise OSError("broken on purpose")


def test_it_reads_this_machine(tmp_path: Path) -> None:
    seen = take(tmp_path)
    assert seen.memory.total_bytes is not None
    assert 0 < (seen.memory.available_bytes or 0) <= seen.memory.total_bytes
    assert 1 <= len(seen.memory.largest) <= 5
    assert seen.memory.problem is seen.processes.problem is None
    assert seen.load1 is not None
    assert seen.lock.state is LockState.FREE


def test_five_largest_programs_are_the_largest_first(tmp_path: Path) -> None:
    sizes = [program.rss_bytes for program in take(tmp_path).memory.largest]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.usefixtures("no_sensor_files")
def test_psutil_raising_in_every_call_is_five_results_and_no_admission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("virtual_memory", "swap_memory", "sensors_temperatures", "sensors_fans", "process_iter"):
        monkeypatch.setattr(psutil, name, fail)
    monkeypatch.setattr(os, "getloadavg", fail)
    monkeypatch.setattr(sensors, "read_process_table", fail)
    seen = take(tmp_path)
    assert seen.memory.available_bytes is None
    assert seen.memory.problem == "OSError: broken on purpose"
    verdict = evaluate(seen, POLICY, Requirement("tiny", GIB, "test"), Latch())
    assert [str(result.outcome) for result in verdict.results] == ["unknown", "unknown", "unknown", "warn", "pass"]


def test_an_unreadable_group_limit_is_unknown_although_the_host_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroups, "_ROOT", tmp_path)
    monkeypatch.setattr(cgroups, "_MEMBERSHIP", tmp_path / "membership")
    (tmp_path / "membership").write_text("0::/\n")
    (tmp_path / "memory.max").write_text("garbage")
    memory = take(tmp_path).memory
    assert memory.available_bytes is None
    assert "garbage" in (memory.problem or "")


@pytest.mark.usefixtures("no_sensor_files")
def test_the_temperature_comes_from_psutil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {
        "coretemp": [shwtemp("Package id 0", 61.0, 87.0, 105.0), shwtemp("Core 0", 60.0, 87.0, 105.0)],
        "applesmc": [shwtemp("TCPG", 103.0, None, None)],
    }
    monkeypatch.setattr(psutil, "sensors_temperatures", lambda: found)
    monkeypatch.setattr(psutil, "sensors_fans", lambda: {"applesmc": [sfan("Exhaust", 1800)]})
    seen = take(tmp_path)
    assert seen.temperature.deciding is not None
    assert (seen.temperature.deciding.id, seen.temperature.deciding.celsius) == ("coretemp/Package id 0", 61.0)
    assert seen.fan_rpm == 1800


@pytest.mark.usefixtures("no_sensor_files")
def test_a_sensor_that_goes_away_is_unknown_not_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = SensorMemory()
    monkeypatch.setattr(
        psutil, "sensors_temperatures", lambda: {"coretemp": [shwtemp("Package id 0", 50.0, None, None)]}
    )
    assert take(tmp_path, known).temperature.deciding is not None
    monkeypatch.setattr(psutil, "sensors_temperatures", dict)
    reading = take(tmp_path, known).temperature
    assert reading.deciding is None
    assert reading.ever_seen


def start_named_whisper(tmp_path: Path) -> subprocess.Popen[bytes]:
    script = tmp_path / "faster_whisper_cli.py"
    script.write_text("import time\nprint('up', flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen([sys.executable, str(script), "talk.mp3"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_a_foreign_whisper_process_is_found_with_its_age_and_command(tmp_path: Path) -> None:
    process = start_named_whisper(tmp_path)
    try:
        # A parallel test run may show others; ours must be among them.
        found = [p for p in take(tmp_path).processes.foreign if p.pid == process.pid]
    finally:
        process.kill()
        process.communicate()
    assert [p.what for p in found] == ["faster-whisper-cli"]
    assert found[0].command.endswith("talk.mp3")
    assert found[0].age_seconds is not None
    assert 0 <= found[0].age_seconds < 60


def test_what_our_own_process_started_is_not_foreign(tmp_path: Path) -> None:
    process = start_named_whisper(tmp_path)
    try:
        foreign = take(tmp_path, own_pids=frozenset({os.getpid()})).processes.foreign
    finally:
        process.kill()
        process.communicate()
    assert process.pid not in [p.pid for p in foreign]


def test_a_process_that_becomes_whisper_is_seen_although_it_was_known_before(tmp_path: Path) -> None:
    """Its command line is remembered between snapshots; an exec must not hide behind that."""
    script = tmp_path / "whisper.py"
    script.write_text("import time\nprint('whisper', flush=True)\ntime.sleep(60)\n")
    code = f"import os, sys\nprint('plain', flush=True)\nsys.stdin.readline()\nos.execv({sys.executable!r}, "
    code += f"[{sys.executable!r}, {str(script)!r}])"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    known = SensorMemory()
    try:
        process.stdout.readline()
        before = [p.pid for p in take(tmp_path, known).processes.foreign]
        process.stdin.write("go\n")
        process.stdin.flush()
        process.stdout.readline()
        after = [p.pid for p in take(tmp_path, known).processes.foreign]
    finally:
        process.kill()
        process.communicate()
    assert process.pid not in before
    assert process.pid in after


def test_a_watched_program_is_counted_by_its_name_never_by_a_word(tmp_path: Path) -> None:
    script = "import time\nprint('up', flush=True)\ntime.sleep(60)\n"
    started = []
    try:
        for name, *words in (("claude.py",), ("editor.py", "claude", "claude.py")):
            (tmp_path / name).write_text(script)
            command = [sys.executable, str(tmp_path / name), *words]
            started.append(subprocess.Popen(command, stdout=subprocess.PIPE))
        for process in started:
            assert process.stdout is not None
            process.stdout.readline()
        activity = take(tmp_path).activity
    finally:
        for process in started:
            process.kill()
            process.communicate()
    watched = [program.pid for program in activity.watched]
    assert started[0].pid in watched
    assert started[1].pid not in watched
    assert activity.total_bytes == sum(program.rss_bytes for program in activity.watched) > 1_000_000
