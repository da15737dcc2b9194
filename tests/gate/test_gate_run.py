"""`manage.py gate run -- COMMAND` with real commands: locked, gated, at low priority, its signals and exit codes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from gate.cli.command_process import CommandProcess
from gate.core.identity import group_members
from tests.gate.test_lock_processes import kill_quietly
from tests.panel import BASE_DIR, until


class Place:
    """Data and lock directory of one test, and what is started there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lock = root / "locks" / "whisper_large.lock"
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *words: str, margin: str = "0.5", **more: object) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "J5A_DATA_DIR": str(self.root / "var"), "J5A_LOCK_DIR": str(self.root / "locks"), "J5A_MARGIN_GIB": margin,
        }  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "manage.py", "gate", *words], cwd=BASE_DIR, env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more,
        )  # type: ignore[call-overload]  # fmt: skip
        self._started.append(process)
        return process

    def run(self, *words: str, margin: str = "0.5") -> tuple[int, str, str]:
        process = self.start(*words, margin=margin)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def holder_pid(self, *runners: int) -> int:
        """The PID in the lock's line once it names another process than `gate run` itself."""
        own = {*runners, *(process.pid for process in self._started)}

        def named() -> int:
            text = self.lock.read_text().strip() if self.lock.exists() else ""
            return int(text) if text and int(text) not in own else 0

        return int(until(named, seconds=30, what="the lock names the command"))

    def stop(self) -> None:
        for process in self._started:
            process.kill()
            process.communicate()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.stop()


TINY = ("run", "--model", "tiny", "--")


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


def test_a_no_of_the_gate_ends_with_75_and_starts_nothing(place: Place, tmp_path: Path) -> None:
    code, _, err = place.run(*TINY, "touch", str(tmp_path / "started"), margin="1000")
    assert code == 75
    assert "Blocked by memory" in err
    assert not (tmp_path / "started").exists()
    assert place.lock.read_text() == ""


def test_a_second_one_is_refused_while_the_first_runs(place: Place) -> None:
    place.start(*TINY, "sleep", "60")
    pid = place.holder_pid()
    code, _, err = place.run(*TINY, "true")
    assert code == 75
    assert f"Blocked by lock: held by PID {pid} for gate run" in err


def test_with_wait_the_second_one_starts_when_the_first_has_ended(place: Place) -> None:
    first = place.start(*TINY, "sleep", "60")
    pid = place.holder_pid()
    second = place.start("run", "--model", "tiny", "--wait", "--", "echo", "mine now")
    assert second.stderr is not None
    assert f"held by PID {pid}" in second.stderr.readline()
    os.kill(pid, signal.SIGTERM)
    assert first.wait(60) == 128 + signal.SIGTERM
    assert second.communicate(timeout=60)[0] == "mine now\n"
    assert second.returncode == 0


def test_the_command_is_polite_and_leads_a_group_of_its_own(place: Place) -> None:
    runner = place.start(*TINY, "sleep", "60")
    pid = place.holder_pid()
    command = psutil.Process(pid)
    assert command.nice() == 10
    assert command.ionice().ioclass == psutil.IOPRIO_CLASS_IDLE
    assert Path(f"/proc/{pid}/oom_score_adj").read_text() == "500\n"
    assert os.getpgid(pid) == pid != os.getpgid(runner.pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_it_passes_signals_on(place: Place, number: signal.Signals) -> None:
    # Its child is killed by name: a signal to the group may find it between fork and exec, where it is lost.
    trap = f"trap 'echo heard; kill -9 $!; exit 9' {number.name[3:]}"
    runner = place.start(*TINY, "sh", "-c", f"{trap}; sleep 60 >/dev/null 2>&1 & echo up; wait")
    assert runner.stdout is not None
    assert runner.stdout.readline() == "up\n"
    runner.send_signal(number)
    assert runner.communicate(timeout=60)[0] == "heard\n"
    assert runner.returncode == 9
    assert place.run(*TINY, "true")[0] == 0


def test_the_lock_lives_as_long_as_what_the_command_left_behind(place: Place) -> None:
    code, out, err = place.run(*TINY, "sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $!")
    child = int(out)
    try:
        assert code == 0
        assert "keeps the lock until it ends" in err
        assert place.lock.read_text() == f"{child}\n"
        assert place.run(*TINY, "true")[0] == 75
    finally:
        kill_quietly(child)
    assert place.run(*TINY, "true")[0] == 0


def test_killed_itself_it_does_not_leave_the_command_running_unwatched(place: Place) -> None:
    runner = place.start(*TINY, "sleep", "60")
    pid = place.holder_pid()
    runner.kill()
    runner.communicate()
    until(lambda: not psutil.pid_exists(pid), seconds=10, what="the command has ended with it")
    assert place.run(*TINY, "true")[0] == 0


def test_resting_it_rests_the_command_too(place: Place) -> None:
    runner = place.start(*TINY, "sleep", "60")
    pid = place.holder_pid()

    def states() -> set[str]:
        return {psutil.Process(runner.pid).status(), psutil.Process(pid).status()}

    runner.send_signal(signal.SIGTSTP)
    until(lambda: states() == {psutil.STATUS_STOPPED}, seconds=10, what="both rest")
    runner.send_signal(signal.SIGCONT)
    until(lambda: psutil.STATUS_STOPPED not in states(), seconds=10, what="both go on")


def test_its_lock_shows_signs_of_life(place: Place) -> None:
    place.start(*TINY, "sleep", "60")
    place.holder_pid()
    record = place.lock.with_name("whisper_large.lock.json")
    before = record.stat().st_mtime_ns
    until(lambda: record.stat().st_mtime_ns > before, seconds=20, what="a sign of life")


@pytest.mark.parametrize(
    ("words", "says"), [(("run",), "required: COMMAND"), (("run", "--model", "giant", "--", "true"), "“giant”")]
)
def test_a_wrong_call_ends_with_2(place: Place, words: tuple[str, ...], says: str) -> None:
    code, _, err = place.run(*words)
    assert code == 2
    assert says in err


def test_ending_it_ends_the_whole_group_by_force_if_need_be(tmp_path: Path) -> None:
    read, write = os.pipe()
    script = "(trap '' TERM; exec sleep 60) & wait"
    command = CommandProcess(["sh", "-c", script], lock_descriptor=write)
    until(lambda: len(group_members(command.pid)) == 2, seconds=10, what="both run")
    command.end()
    assert group_members(command.pid) == ()
    os.close(read)
    os.close(write)


def test_a_lock_disk_that_cannot_be_written_is_not_waited_for(place: Place) -> None:
    (place.root / "locks").write_text("a file in the place of the folder")
    code, _, err = place.run("run", "--model", "tiny", "--wait", "--", "true")
    assert code == 75
    assert err.count("Blocked by lock") == 1


def test_ctrl_c_while_waiting_ends_without_a_trace(place: Place) -> None:
    waiter = place.start("wait", "--model", "tiny", margin="1000")
    assert waiter.stdout is not None
    assert "Blocked by memory" in waiter.stdout.readline()
    waiter.send_signal(signal.SIGINT)
    _, err = waiter.communicate(timeout=30)
    assert waiter.returncode == 130
    assert "Traceback" not in err


# ── heat, on a machine with sensors of its own ───────────────────────────────────────────────────
# In a mount namespace: argv is the file of the temperature, then the words of `gate`.
HOT = """
import os, subprocess, sys
from pathlib import Path
def sh(*words): subprocess.run(words, check=True)
sh("mount", "--make-rprivate", "/")
sh("mount", "-t", "tmpfs", "t", "/sys/class")
chip = Path("/sys/class/hwmon/hwmon0")
chip.mkdir(parents=True)
(chip / "name").write_text("coretemp\\n")
(chip / "temp1_label").write_text("Package id 0\\n")
(chip / "temp1_input").symlink_to(sys.argv[1])
os.execv(sys.executable, [sys.executable, "manage.py", "gate", *sys.argv[2:]])
"""


@pytest.fixture
def hot(
    place: Place, tmp_path: Path, namespaces: None
) -> Iterator[tuple[Callable[[float], None], subprocess.Popen[str]]]:
    """A command under `gate run` on a machine whose package temperature the test sets."""
    thermometer = tmp_path / "temperature"

    def set_celsius(celsius: float) -> None:
        fresh = thermometer.with_suffix(".new")
        fresh.write_text(f"{round(celsius * 1000)}\n")
        fresh.replace(thermometer)

    set_celsius(50.0)
    environment = {
        **os.environ,
        "J5A_DATA_DIR": str(place.root / "var"), "J5A_LOCK_DIR": str(place.root / "locks"), "J5A_MARGIN_GIB": "0.5",
    }  # fmt: skip
    runner = subprocess.Popen(
        ["unshare", "-m", sys.executable, "-c", HOT, str(thermometer), *TINY, "sleep", "60"],
        cwd=BASE_DIR, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    yield set_celsius, runner
    runner.kill()
    runner.communicate()


def status_of(pid: int) -> str:
    return str(psutil.Process(pid).status())


def test_it_pauses_the_command_at_80_and_lets_it_go_on_below_75(
    place: Place, hot: tuple[Callable[[float], None], subprocess.Popen[str]]
) -> None:
    set_celsius, runner = hot
    pid = place.holder_pid(runner.pid)
    set_celsius(83.0)
    until(lambda: status_of(pid) == psutil.STATUS_STOPPED, seconds=10, what="paused at 83")
    assert (place.root / "locks" / "heat.json").exists()  # the gate of every data directory is shut, too
    set_celsius(76.0)
    time.sleep(2.5)
    assert status_of(pid) == psutil.STATUS_STOPPED
    set_celsius(74.9)
    until(lambda: status_of(pid) != psutil.STATUS_STOPPED, seconds=10, what="goes on below 75")
    runner.send_signal(signal.SIGTERM)
    assert runner.wait(30) == 128 + signal.SIGTERM
    said = runner.stderr.read() if runner.stderr is not None else ""
    assert "Paused: 83.0 °C, limit 80.0 °C; goes on below 75.0 °C." in said
    assert "Goes on: 74.9 °C" in said


def test_at_90_it_ends_the_command_with_75(
    place: Place, hot: tuple[Callable[[float], None], subprocess.Popen[str]]
) -> None:
    set_celsius, runner = hot
    pid = place.holder_pid(runner.pid)
    set_celsius(91.0)
    assert runner.wait(30) == 75
    assert not psutil.pid_exists(pid)
    assert (place.root / "locks" / "heat.json").exists()
    assert runner.stderr is not None
    assert "Ended: 91.0 °C, limit 90.0 °C" in runner.stderr.read()


def test_a_paused_command_can_be_ended(
    place: Place, hot: tuple[Callable[[float], None], subprocess.Popen[str]]
) -> None:
    set_celsius, runner = hot
    pid = place.holder_pid(runner.pid)
    set_celsius(84.0)
    until(lambda: status_of(pid) == psutil.STATUS_STOPPED, seconds=10, what="paused")
    runner.send_signal(signal.SIGINT)
    assert runner.wait(30) == 128 + signal.SIGINT
