"""`manage.py gate run -- COMMAND` with real commands: locked, gated, at low priority, with their exit codes."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from gate.cli.command_process import CommandProcess
from gate.core.identity import group_members
from tests.support.panel import until
from tests.support.run_place import TINY, Place


def test_it_gives_the_commands_output_and_exit_code(place: Place) -> None:
    code, out, err = place.run(*TINY, "sh", "-c", "echo spoken; echo aside >&2; exit 7")
    assert (code, out) == (7, "spoken\n")
    assert "aside" in err
    assert place.lock.read_text() == ""


def test_a_command_killed_by_a_signal_ends_as_shells_say_it(place: Place) -> None:
    assert place.run(*TINY, "sh", "-c", "kill -SEGV $$")[0] == 128 + signal.SIGSEGV


@pytest.mark.parametrize(("command", "code"), [("/nowhere/whisper", 127), ("/etc/hostname", 126)])
def test_a_command_that_cannot_start_says_so_and_frees_the_lock(place: Place, command: str, code: int) -> None:
    found, _, err = place.run(*TINY, command)
    assert found == code
    assert command in err
    assert "Traceback" not in err
    assert place.lock.read_text() == ""
    assert place.marked() == set()


def test_a_no_of_the_gate_ends_with_75_and_starts_nothing(place: Place, tmp_path: Path) -> None:
    code, _, err = place.run(*TINY, "touch", str(tmp_path / "started"), margin="1000")
    assert code == 75
    assert "Blocked by memory" in err
    assert not (tmp_path / "started").exists()
    assert place.lock.read_text() == ""


def test_the_command_is_polite_and_leads_a_group_of_its_own(place: Place) -> None:
    runner = place.start(*TINY, "sleep", "300")
    pid = place.holder_pid()
    command = psutil.Process(pid)
    assert command.nice() == 10
    assert command.ionice().ioclass == psutil.IOPRIO_CLASS_IDLE
    assert Path(f"/proc/{pid}/oom_score_adj").read_text() == "500\n"
    assert os.getpgid(pid) == pid != os.getpgid(runner.pid)


@pytest.mark.parametrize(
    ("words", "says"), [(("run",), "required: COMMAND"), (("run", "--model", "giant", "--", "true"), "“giant”")]
)
def test_a_wrong_call_ends_with_2(place: Place, words: tuple[str, ...], says: str) -> None:
    code, _, err = place.run(*words)
    assert code == 2
    assert says in err


def test_arguments_of_any_bytes_and_length_reach_the_command_and_leave_the_record_whole(place: Place) -> None:
    strange = b"\xff\xfe\x1b[31m\n" + b"x" * 100_000
    runner = place.start(*TINY, "sh", "-c", 'printf %s "$1" | cksum; sleep 300 >/dev/null 2>&1', b"\xfd", strange)
    pid = place.holder_pid()
    code, shown, _ = place.run("lock", "show")
    assert code == 1
    assert f"held by PID {pid} for gate run" in shown
    assert "command: sh -c printf" in shown
    os.killpg(pid, signal.SIGTERM)
    out, _ = runner.communicate(timeout=120)
    assert out.split()[1] == str(len(strange))
    assert place.lock.read_text() == ""


@pytest.mark.parametrize("strange", [b"\xff\xfe", b"/" + b"x" * 100_000], ids=["bytes", "length"])
def test_a_name_of_any_bytes_and_length_is_refused_in_one_short_line(place: Place, strange: bytes) -> None:
    code, _, err = place.run(*TINY, strange)
    assert code in (126, 127)
    assert "Traceback" not in err
    assert len(err) < 400


def test_ending_it_ends_the_whole_group_by_force_if_need_be() -> None:
    read, write = os.pipe()
    script = "(trap '' TERM; exec sleep 300) & wait"
    command = CommandProcess(["sh", "-c", script], lock_descriptor=write, tell=lambda: None)
    try:
        until(lambda: len(group_members(command.pid)) == 2, seconds=40, what="both run")
        assert command.end() == ()
        assert group_members(command.pid) == ()
    finally:
        command.signal(signal.SIGKILL)
        command.reap()
        os.close(read)
        os.close(write)
