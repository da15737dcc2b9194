"""Once too hot, the gate stays shut until below 75 °C for everybody on the machine, whatever the data directory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import Settings

from gate.core.verdict import CheckName, Outcome
from gate.models import GateState
from gate.services import gate_evaluate, gate_preview, heat_latch_keep
from tests.support.builders import LARGE
from tests.support.fake_machine import FakeMachine
from tests.support.mounts import answers_of

# In a mount namespace, where the test sets the package temperature. argv: a JSON list of [data directory, °C]; for
# each `manage.py gate check` is run as a process of its own. Answers with the exit code and the second check of each.
PROGRAM = """
import json, os, subprocess, sys
from pathlib import Path
from tests.support.mounts import package_sensor
sensor = package_sensor()
answers = []
for data_dir, celsius in json.loads(sys.argv[1]):
    sensor.write_text(f"{round(celsius * 1000)}\\n")
    done = subprocess.run(
        [sys.executable, "manage.py", "gate", "check", "--model", "tiny", "--json"],
        env=os.environ | {"J5A_DATA_DIR": data_dir, "J5A_HOST_ID": Path(data_dir).name},
        capture_output=True, text=True, check=False,
    )
    try:
        result = json.loads(done.stdout)["results"][1]
    except ValueError:
        sys.exit(done.stdout + done.stderr)
    answers.append([result["outcome"], result["summary"]])
print(json.dumps(answers))
"""


@pytest.mark.usefixtures("namespaces")
def test_what_one_data_directory_has_seen_shuts_the_gate_of_another(tmp_path: Path) -> None:
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    steps = [[b, 76.0], [a, 83.0], [b, 76.0], [a, 76.0], [a, 74.9], [b, 76.0], [b, 74.9], [a, 76.0], [b, 76.0]]
    env = {"J5A_LOCK_DIR": str(tmp_path / "locks"), "J5A_MARGIN_GIB": "0.5"}
    answers = answers_of(PROGRAM, json.dumps(steps), env=env, timeout=300)
    # The second 76 of B is one that B itself remembers: it asked while the machine was too hot, and was told so.
    assert [outcome for outcome, _ in answers] == [
        "pass", "block", "block", "block", "pass", "block", "pass", "pass", "pass",
    ]  # fmt: skip
    assert "still cooling: it reached 80.0 °C and must fall below 75.0 °C" in answers[2][1]
    assert not (tmp_path / "locks" / "heat.json").exists()


@pytest.fixture
def heat_path(settings: Settings, machine: FakeMachine) -> Path:
    path = Path(settings.GATE_LOCK_PATH).with_name("heat.json")
    path.parent.mkdir(mode=0o700)
    return path


def is_shut_at(machine: FakeMachine, celsius: float) -> bool:
    machine.celsius = celsius
    return gate_evaluate(LARGE, purpose="check").result(CheckName.TEMPERATURE).outcome is Outcome.BLOCK


@pytest.mark.django_db
def test_a_file_that_says_nothing_sensible_keeps_the_gate_shut_until_below_75(
    machine: FakeMachine, heat_path: Path
) -> None:
    heat_path.write_bytes(b"\0garbage")
    assert is_shut_at(machine, 79.9)
    assert is_shut_at(machine, 75.0)
    assert not is_shut_at(machine, 74.9)
    assert not heat_path.exists()
    assert not is_shut_at(machine, 79.9)


@pytest.mark.django_db
def test_a_file_that_cannot_be_removed_does_not_shut_the_gate_of_a_cool_machine(
    machine: FakeMachine, heat_path: Path
) -> None:
    (heat_path / "in the way").mkdir(parents=True)
    assert is_shut_at(machine, 76.0)
    assert not is_shut_at(machine, 74.9)
    assert not is_shut_at(machine, 60.0)


@pytest.mark.django_db
@pytest.mark.parametrize("lost", ["file", "row"])
def test_each_place_alone_keeps_the_gate_shut(machine: FakeMachine, heat_path: Path, lost: str) -> None:
    assert is_shut_at(machine, 83.0)
    if lost == "file":
        heat_path.unlink()
    else:
        GateState.objects.update(latched=False)
    assert is_shut_at(machine, 76.0)
    assert heat_path.exists()
    assert GateState.objects.get().latched
    assert not is_shut_at(machine, 74.9)
    assert not heat_path.exists()
    assert not GateState.objects.get().latched


@pytest.mark.django_db
def test_a_process_that_was_paused_for_heat_shuts_the_gate(machine: FakeMachine, heat_path: Path) -> None:
    heat_latch_keep(tripped=True)
    assert heat_path.exists()
    assert GateState.objects.get().latched
    assert is_shut_at(machine, 76.0)
    assert not is_shut_at(machine, 74.9)


@pytest.mark.django_db
def test_a_database_that_does_not_answer_leaves_the_file_and_raises_nothing(heat_path: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE gate_gatestate RENAME TO gate_gatestate_away")
    heat_latch_keep(tripped=True)
    assert heat_path.exists()


@pytest.mark.django_db
def test_a_preview_keeps_it_for_the_machine_too(machine: FakeMachine, heat_path: Path) -> None:
    machine.celsius = 80.0
    gate_preview(LARGE)
    assert heat_path.exists()
    machine.celsius = 74.9
    gate_preview(LARGE)
    assert not heat_path.exists()


@pytest.mark.django_db
def test_a_cool_machine_gets_no_file_and_no_directory(machine: FakeMachine, settings: Settings) -> None:
    assert not is_shut_at(machine, 79.9)
    assert not Path(settings.GATE_LOCK_PATH).parent.exists()
