"""`manage.py gate lock`, `gate wait` and `gate sensors` as a person at the terminal calls them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command

from gate.models import LockEvent, VerdictRecord
from gate.services import lock_acquire, lock_release
from tests.support.fake_machine import FakeMachine

pytestmark = pytest.mark.django_db


def gate(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = 0
    try:
        call_command("gate", *words)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, capsys.readouterr().out


@pytest.fixture
def lock_file(machine: FakeMachine, settings: object) -> Path:
    path = Path(settings.GATE_LOCK_PATH)  # type: ignore[attr-defined]
    path.parent.mkdir(mode=0o700)
    return path


@pytest.fixture
def gone() -> int:
    """The PID of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@pytest.mark.usefixtures("machine")
def test_show_ends_with_0_when_nobody_holds_it(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = gate(capsys, "lock", "show")
    assert code == 0
    assert "free: free" in out


@pytest.mark.usefixtures("machine")
def test_show_proves_the_holder_line_by_line_and_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    held = lock_acquire(model="tiny", job_ref="job 7")
    code, out = gate(capsys, "lock", "show")
    lock_release(held)
    assert code == 1
    for line in (
        f"held: held by PID {os.getpid()} for job 7", "kernel lock: held", "model: tiny", "boot: ", "last sign of life",
    ):  # fmt: skip
        assert line in out


def test_clear_stale_clears_what_is_proved_gone_and_keeps_who_and_why(
    lock_file: Path, gone: int, capsys: pytest.CaptureFixture[str]
) -> None:
    lock_file.write_text(f"{gone}\n")
    assert "clear-stale" in gate(capsys, "lock", "show")[1]
    code, out = gate(capsys, "lock", "clear-stale", "--why", "power cut")
    assert code == 0
    assert f"PID {gone}: no such process" in out
    assert lock_file.read_text() == ""
    event = LockEvent.objects.latest("pk")
    assert (event.kind, event.why, event.pid) == ("cleared", "power cut", None)
    assert event.who
    assert f"PID {gone}: no such process" in event.evidence["proof"]


def test_clear_stale_refuses_a_live_older_script(lock_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock_file.write_text(f"{os.getpid()}\n")
    code, out = gate(capsys, "lock", "clear-stale")
    assert code == 1
    assert f"Not cleared: held by PID {os.getpid()}" in out
    assert lock_file.read_text() == f"{os.getpid()}\n"


@pytest.mark.usefixtures("machine")
def test_clear_stale_says_when_there_is_nothing_to_clear(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = gate(capsys, "lock", "clear-stale")
    assert code == 1
    assert out.startswith("Nothing to clear")


def test_a_lock_directory_that_is_a_file_is_told(lock_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock_file.parent.rmdir()
    lock_file.parent.write_text("a file")
    code, out = gate(capsys, "lock", "show")
    assert code == 1
    assert "its directory is a file" in out
    code, out = gate(capsys, "lock", "clear-stale")
    assert code == 1
    assert "J5A_LOCK_DIR" in out


@pytest.mark.usefixtures("machine")
def test_wait_ends_at_once_when_admitted(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = gate(capsys, "wait", "--timeout", "0")
    assert (code, out) == (0, "Admitted: all five checks pass.\n")


def test_wait_says_a_lasting_reason_once_and_ends_with_1(
    machine: FakeMachine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.celsius = 85.0
    code, out = gate(capsys, "wait", "--timeout", "2.5")
    assert code == 1
    assert out.count("Blocked by temperature") == 1
    assert out.splitlines()[-1] == "The time is over: the gate still says no."
    record = VerdictRecord.objects.get()
    assert record.repeats >= 1


def test_wait_says_the_new_reason_when_it_changes(
    machine: FakeMachine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cool_down(_: float) -> None:
        machine.celsius, machine.available_bytes = 50.0, 1024**3

    machine.celsius = 85.0
    monkeypatch.setattr("gate.cli.wait.time.sleep", cool_down)
    code, out = gate(capsys, "wait", "--timeout", "0.2")
    assert code == 1
    assert [line.split(":")[0] for line in out.splitlines()[:2]] == ["Blocked by temperature", "Blocked by memory"]


def test_sensors_lists_each_with_its_judgement(machine: FakeMachine, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = gate(capsys, "sensors")
    assert code == 0
    assert "coretemp/Package id 0" in out
    assert "45.0 °C  decides: coretemp package" in out
    machine.celsius = None


@pytest.mark.parametrize(
    "words",
    [
        ("wait", "--timeout", "soon"),
        ("wait", "--timeout", "-1"),
        ("lock",),
        ("lock", "break"),
        ("lock", "acquire", "--pid", "1", "--fd", "99999999999999"),
        ("lock", "acquire", "--pid", "1", "--fd=-1"),
    ],
)
@pytest.mark.usefixtures("machine")
def test_a_wrong_question_is_a_usage_error(words: tuple[str, ...]) -> None:
    from django.core.management import CommandError

    with pytest.raises((CommandError, SystemExit)):
        call_command("gate", *words)
