"""The sensors of other machines: a look-alike /sys in a mount namespace, the real psutil, the real gate."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.machines import may_skip
from tests.support.mounts import answers_of

ROOT = Path(__file__).resolve().parents[3]

# argv: a JSON list of steps, each {path: text or null}; the last argument is the lock path. After each step the
# gate is asked once, as one long-lived process would; a sensor memory and a latch go from step to step.
PROGRAM = """
import json, sys
from pathlib import Path
from tests.support.mounts import sh
sh("mount", "-t", "tmpfs", "t", "/sys/class")
Path("/sys/class/thermal").mkdir()
from gate.core.evaluate import evaluate
from gate.core.hysteresis import Latch
from gate.core.policy import GatePolicy
from gate.core.requirement import Requirement
from gate.core.sensors import SensorMemory, take_snapshot
known, latch, answers = SensorMemory(), Latch(), []
for step in json.loads(sys.argv[1]):
    for name, text in step.items():
        path = Path("/sys/class") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink() if text is None else path.write_text(text)
    seen = take_snapshot(GatePolicy(margin_bytes=0), Path(sys.argv[2]), known=known, own_pids=frozenset())
    verdict = evaluate(seen, GatePolicy(margin_bytes=0), Requirement("tiny", 0, "test"), latch)
    latch = Latch(verdict.latched)
    deciding = seen.temperature.deciding
    answers.append({
        "outcome": verdict.results[1].outcome, "sensor": deciding and deciding.id,
        "celsius": deciding and deciding.celsius, "fan": seen.fan_rpm,
        "all": [[s.id, s.celsius, s.judgement] for s in seen.temperature.sensors],
    })
print(json.dumps(answers))
"""

Step = dict[str, str | None]


def on_machine(tmp_path: Path, *steps: Step) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = answers_of(PROGRAM, json.dumps(steps), str(tmp_path / "x.lock"))
    return answers


def chip(number: int, name: str, *inputs: tuple[str, float]) -> Step:
    folder = f"hwmon/hwmon{number}"
    files: Step = {f"{folder}/name": name + "\n"}
    for at, (label, celsius) in enumerate(inputs, 1):
        files[f"{folder}/temp{at}_input"] = f"{round(celsius * 1000)}\n"
        if label:
            files[f"{folder}/temp{at}_label"] = label + "\n"
    return files


def outcomes(answers: list[dict[str, Any]]) -> list[str]:
    return [answer["outcome"] for answer in answers]


@pytest.mark.usefixtures("namespaces")
def test_it_admits_at_45_and_blocks_from_80_until_below_75(tmp_path: Path) -> None:
    answers = on_machine(
        tmp_path,
        *(chip(0, "coretemp", ("Package id 0", celsius)) for celsius in (45.0, 83.0, 76.0, 74.9, 79.9, 80.9)),
    )
    assert outcomes(answers) == ["pass", "block", "block", "pass", "pass", "block"]
    assert {answer["sensor"] for answer in answers} == {"coretemp/Package id 0"}


@pytest.mark.usefixtures("namespaces")
def test_the_mac_mini_with_its_constant_103_degrees_is_admitted_until_its_cores_are_hot(tmp_path: Path) -> None:
    smc = chip(0, "applesmc", ("TC0P", 52.0), ("TCPG", 103.0), ("TC0G", 99.0), ("TC0J", 1.0), ("Tp0C", -127.0))
    smc["hwmon/hwmon0/fan1_input"] = "1800\n"

    def cores(celsius: float) -> Step:
        return chip(1, "coretemp", ("Physical id 0", celsius), ("Core 0", celsius - 1), ("Core 1", celsius - 2))

    answers = on_machine(tmp_path, smc | cores(45.0), cores(83.0), cores(76.0), cores(74.9))
    assert outcomes(answers) == ["pass", "block", "block", "pass"]
    assert answers[0]["sensor"] == "coretemp/Physical id 0"
    assert answers[0]["fan"] == 1800
    assert ["applesmc/TCPG", 103.0, "not a processor sensor"] in answers[0]["all"]
    assert ["applesmc/Tp0C", -127.0, "impossible value"] in answers[0]["all"]


@pytest.mark.usefixtures("namespaces")
def test_an_amd_processor_decides_by_tctl(tmp_path: Path) -> None:
    answers = on_machine(
        tmp_path,
        chip(0, "nvme", ("Composite", 84.0)) | chip(1, "k10temp", ("Tctl", 62.5), ("Tccd1", 70.0)),
        chip(1, "k10temp", ("Tctl", 81.0), ("Tccd1", 70.0)),
    )
    assert outcomes(answers) == ["pass", "block"]
    assert [answer["sensor"] for answer in answers] == ["k10temp/Tctl"] * 2


@pytest.mark.usefixtures("namespaces")
def test_a_bare_thermal_zone_decides(tmp_path: Path) -> None:
    def zone(celsius: float) -> Step:
        return {"thermal/thermal_zone0/type": "acpitz\n", "thermal/thermal_zone0/temp": "99000\n",
                "thermal/thermal_zone1/type": "x86_pkg_temp\n",
                "thermal/thermal_zone1/temp": f"{round(celsius * 1000)}\n"}  # fmt: skip

    answers = on_machine(tmp_path, zone(44.0), zone(80.9))
    assert outcomes(answers) == ["pass", "block"]
    assert answers[0]["sensor"] == "thermal/x86_pkg_temp"


@pytest.mark.usefixtures("namespaces")
def test_no_sensor_is_a_warning(tmp_path: Path) -> None:
    assert outcomes(on_machine(tmp_path, {})) == ["warn"]


@pytest.mark.usefixtures("namespaces")
def test_a_sensor_that_disappears_is_unknown(tmp_path: Path) -> None:
    there = chip(0, "coretemp", ("Package id 0", 45.0))
    gone: Step = dict.fromkeys(there)
    assert outcomes(on_machine(tmp_path, there, gone)) == ["pass", "unknown"]


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("celsius", [0.0, 129.0])
def test_an_impossible_reading_of_a_sensor_that_was_good_is_unknown(tmp_path: Path, celsius: float) -> None:
    good = chip(0, "coretemp", ("Package id 0", 45.0))
    bad = chip(0, "coretemp", ("Package id 0", celsius))
    assert outcomes(on_machine(tmp_path, good, bad)) == ["pass", "unknown"]
    assert outcomes(on_machine(tmp_path, bad)) == ["warn"]


@pytest.mark.usefixtures("namespaces")
def test_a_zero_package_gives_way_to_its_cores(tmp_path: Path) -> None:
    answers = on_machine(tmp_path, chip(0, "coretemp", ("Package id 0", 0.0), ("Core 0", 82.0)))
    assert outcomes(answers) == ["block"]


# ── a memory limit of a control group ────────────────────────────────────────────────────────────
CGROUPS = Path("/sys/fs/cgroup")
LIMIT_BYTES = 512 * 1024**2
LIMITED_PROGRAM = """
import json, os, sys
from pathlib import Path
(Path(sys.argv[1]) / "cgroup.procs").write_text(str(os.getpid()))
from gate.core.checks import check_memory
from gate.core.policy import GatePolicy
from gate.core.requirement import requirement_for_model
from gate.core.sensors import SensorMemory, take_vitals
policy = GatePolicy(margin_bytes=0)
memory = take_vitals(policy, SensorMemory()).memory
result = check_memory(memory, policy, requirement_for_model("tiny"))
seen = [memory.available_bytes, memory.total_bytes, memory.source, memory.problem]
print(json.dumps([*seen, result.outcome, result.unblock]))
"""


def group_place() -> tuple[Path, str, str] | None:
    """Where a group can be made here, the name of its limit file, and what the gate must call it."""
    if (CGROUPS / "memory/memory.limit_in_bytes").exists():
        return CGROUPS / "memory", "memory.limit_in_bytes", "cgroup v1"
    control = CGROUPS / "cgroup.subtree_control"
    if control.exists() and "memory" in control.read_text().split():
        return CGROUPS, "memory.max", "cgroup v2"
    return None


@pytest.fixture
def limited_group() -> Iterator[tuple[Path, str]]:
    place = group_place()
    if os.geteuid() != 0 or place is None:
        may_skip("needs root and a memory controller")
    assert place is not None
    root, limit_file, source = place
    folder = root / f"j5a-test-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    try:
        (folder / limit_file).write_text(str(LIMIT_BYTES))
        yield folder, source
    finally:
        end = time.monotonic() + 5
        while folder.exists() and time.monotonic() < end:
            with suppress(OSError):
                folder.rmdir()


def test_a_real_group_limit_counts_although_the_host_has_more(limited_group: tuple[Path, str]) -> None:
    folder, expected_source = limited_group
    command = [sys.executable, "-c", LIMITED_PROGRAM, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    available_bytes, total_bytes, source, problem, outcome, unblock = json.loads(done.stdout)
    assert (source, problem, total_bytes) == (expected_source, None, LIMIT_BYTES)
    assert 0 < available_bytes < LIMIT_BYTES
    assert outcome == "block"
    assert "This machine can never start tiny: it has 512 MiB in all" in unblock
