"""ops/resource_safety_gate.sh in real bash: the same gate and the same lock, and nothing of the caller's touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.panel import BASE_DIR, until
from tests.system.gate.test_lock_processes import kill_quietly
from tests.system.gate.test_old_script import OLD_SCRIPT

FACE = BASE_DIR / "ops" / "resource_safety_gate.sh"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data and lock directories of this file's tests; the database is made by the first that asks."""
    return tmp_path_factory.mktemp("shell")


def environment(place: Path, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "J5A_PYTHON": sys.executable,
        "J5A_DATA_DIR": str(place / "var"),
        "J5A_LOCK_DIR": str(place / "locks"),
        "J5A_MARGIN_GIB": "0.5",
        **more,
    }


def bash(place: Path, script: str, *, options: str = "-euo pipefail", **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", *options.split(), "-c", f"source {FACE}\n{script}"],
        env=environment(place, **more), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def plain_bash(place: Path, script: str, *options: str, cwd: Path = BASE_DIR) -> subprocess.CompletedProcess[str]:
    """The script alone: what it sources, it sources itself."""
    return subprocess.run(
        ["bash", *options, "-c", script], env=environment(place), cwd=cwd, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip


def holder(place: Path, script: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", f"source {FACE}\n{script}"],
        env=environment(place), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def hear(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    while word not in (line := process.stdout.readline()):
        assert line, f"{word} was not said"


def line_of(place: Path) -> str:
    return (place / "locks" / "whisper_large.lock").read_text().strip()


def test_it_takes_the_lock_for_the_calling_shell_and_gives_it_back(place: Path) -> None:
    done = bash(place, 'acquire_whisper_lock tiny; echo "line $(cat "$J5A_LOCK_DIR/whisper_large.lock") of $$"\n'
                "release_whisper_lock; echo left $(cat $J5A_LOCK_DIR/whisper_large.lock)")  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    pid = said[1].split()[1]
    assert said == [
        f"Whisper lock acquired (PID {pid}).", f"line {pid} of {pid}", f"Whisper lock released (PID {pid}).", "left",
    ]  # fmt: skip


def test_a_second_script_is_refused_and_told_who_has_it(place: Path) -> None:
    first = holder(place, "acquire_whisper_lock tiny; echo held; read -r _")
    try:
        hear(first, "held")
        done = bash(place, "acquire_whisper_lock tiny && echo taken || echo refused")
        assert done.stdout == "refused\n"
        assert f"Blocked by lock: held by PID {first.pid}" in done.stderr
        assert line_of(place) == str(first.pid)
    finally:
        first.kill()
        first.communicate()


def test_under_errexit_a_refusal_ends_the_script(place: Path) -> None:
    done = bash(place, "acquire_whisper_lock tiny; echo went on", J5A_MARGIN_GIB="1000")
    assert done.returncode != 0
    assert "went on" not in done.stdout
    assert "1/5 BLOCK   memory" in done.stderr


def test_a_refusal_by_the_gate_leaves_the_lock_free(place: Path) -> None:
    assert bash(place, "acquire_whisper_lock tiny || echo no", J5A_MARGIN_GIB="1000").stdout == "no\n"
    assert line_of(place) == ""
    assert bash(place, "acquire_whisper_lock tiny").returncode == 0


def test_the_lock_ends_with_a_script_that_is_killed(place: Path) -> None:
    first = holder(place, "acquire_whisper_lock tiny; echo held; read -r _")
    hear(first, "held")
    first.kill()
    first.communicate()
    done = bash(place, "acquire_whisper_lock tiny")
    assert done.returncode == 0, done.stderr


def test_a_child_of_a_killed_script_keeps_the_lock_until_it_ends(place: Path) -> None:
    first = holder(place, "acquire_whisper_lock tiny; sleep 60 >/dev/null & echo child $!; read -r _")
    hear(first, "acquired")
    assert first.stdout is not None
    child = int(first.stdout.readline().split()[1])
    try:
        first.kill()
        first.communicate()
        refused = bash(place, "acquire_whisper_lock tiny || echo refused")
        assert refused.stdout == "refused\n"
        assert f"held by PID {child}" in refused.stderr
    finally:
        kill_quietly(child)
    assert bash(place, "acquire_whisper_lock tiny").returncode == 0


def test_a_release_names_a_child_that_keeps_it(place: Path) -> None:
    script = "acquire_whisper_lock tiny; sleep 60 >/dev/null 2>&1 & echo child $!; release_whisper_lock; echo on"
    done = bash(place, script)
    child = int(done.stdout.splitlines()[1].split()[1])
    try:
        assert f"The lock is kept until PID {child} has ended" in done.stderr
        assert done.stdout.splitlines()[-1] == "on"
        assert line_of(place) == str(child)
        assert bash(place, "acquire_whisper_lock tiny || echo refused").stdout == "refused\n"
    finally:
        kill_quietly(child)


def test_it_leaves_traps_options_and_variables_alone(place: Path) -> None:
    script = """
trap 'echo my exit trap' EXIT
trap 'echo my term trap' TERM
look() {
    set +o; shopt; trap -p; umask; alias
    declare -p | grep -v -e ' _j5a_' -e ' _=' -e BASH -e PIPESTATUS -e ' first=' -e RANDOM -e SECONDS -e EPOCH
}
first=$(look)
source FACE
acquire_whisper_lock tiny >/dev/null
release_whisper_lock >/dev/null
run_all_safety_checks tiny >/dev/null
calculate_safe_parallel_count >/dev/null
second=$(look)
[ "$first" = "$second" ] && echo same || diff <(echo "$first") <(echo "$second")
""".replace("FACE", str(FACE))
    done = plain_bash(place, script, "-euo", "pipefail")
    assert done.stdout == "same\nmy exit trap\n", done.stdout + done.stderr
    without_options = plain_bash(place, script)
    assert without_options.stdout == "same\nmy exit trap\n"


def test_a_term_trap_of_the_caller_still_ends_the_script_and_frees_the_lock(place: Path) -> None:
    first = holder(place, "trap 'echo tidied; exit 7' TERM; acquire_whisper_lock tiny; echo held; read -r _")
    hear(first, "held")
    first.send_signal(signal.SIGTERM)
    assert first.communicate()[0] == "tidied\n"
    assert first.returncode == 7
    assert bash(place, "acquire_whisper_lock tiny").returncode == 0


def test_in_a_pipe_it_says_that_the_lock_ends_with_the_subshell(place: Path) -> None:
    done = bash(place, "acquire_whisper_lock tiny | cat; echo after")
    assert "the lock will end with it" in done.stderr
    assert "after" in done.stdout


def test_it_never_follows_a_link_that_lies_in_the_place_of_the_lock(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("keep me")
    locks = tmp_path / "locks"
    locks.mkdir(mode=0o700)
    (locks / "whisper_large.lock").symlink_to(target)
    done = bash(tmp_path, "acquire_whisper_lock tiny || echo refused")
    assert done.stdout == "refused\n"
    assert "symbolic link" in done.stderr
    assert target.read_text() == "keep me"


def test_waiting_ends_with_1_and_the_reason_when_the_time_is_over(place: Path) -> None:
    begun = time.monotonic()
    done = bash(place, "wait_for_safe_conditions 1 tiny || echo no", J5A_MARGIN_GIB="1000")
    assert time.monotonic() - begun < 60
    assert "Blocked by memory" in done.stdout
    assert done.stdout.splitlines()[-1] == "no"


def test_waiting_ends_as_soon_as_the_lock_is_free(place: Path) -> None:
    first = holder(place, "acquire_whisper_lock tiny; echo held; read -r _; release_whisper_lock; read -r _")
    hear(first, "held")
    waiter = holder(place, "wait_for_safe_conditions 60 tiny; echo open")
    try:
        hear(waiter, "Blocked by lock")
        assert first.stdin is not None
        first.stdin.write("\n")
        first.stdin.flush()
        hear(waiter, "open")
    finally:
        for process in (first, waiter):
            process.kill()
            process.communicate()


def test_one_process_at_a_time_is_all_it_ever_advises(place: Path) -> None:
    assert bash(place, "calculate_safe_parallel_count").stdout == "1\n"


@pytest.mark.parametrize(("margin", "code"), [("0.5", 0), ("1000", 1)])
def test_run_by_itself_it_checks_and_says_so(place: Path, margin: str, code: int) -> None:
    done = subprocess.run(
        ["bash", str(FACE), "tiny"], env=environment(place, J5A_MARGIN_GIB=margin),
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    assert "5/5" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("The machine is safe" if code == 0 else "The machine is NOT safe")


def test_without_the_installed_panel_it_refuses_and_says_what_to_do(place: Path) -> None:
    done = bash(place, "acquire_whisper_lock tiny || echo refused", J5A_PYTHON="/nowhere/python")
    assert done.stdout == "refused\n"
    assert "make setup" in done.stderr


def test_the_older_script_and_the_shell_face_exclude_each_other(place: Path) -> None:
    lock = str(place / "locks" / "whisper_large.lock")
    old = subprocess.Popen(
        ["bash", "-c", OLD_SCRIPT, "old", lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    hear(old, "held")
    assert bash(place, "acquire_whisper_lock tiny || echo refused").stdout == "refused\n"
    assert old.communicate("\n")[0] == "released\n"
    first = holder(
        place, "acquire_whisper_lock tiny; echo held; read -r _; release_whisper_lock; echo given; read -r _"
    )
    try:
        hear(first, "held")
        refused = subprocess.run(["bash", "-c", OLD_SCRIPT, "old", lock], capture_output=True, text=True, check=False)
        assert refused.stdout == "refused\n"
        assert first.stdin is not None
        first.stdin.write("\n")
        first.stdin.flush()
        hear(first, "given")
        after = subprocess.run(
            ["bash", "-c", OLD_SCRIPT, "old", lock], input="\n", capture_output=True, text=True, check=False
        )
        assert after.stdout == "held\nreleased\n"
    finally:
        first.kill()
        first.communicate()
    until(lambda: not Path(f"/proc/{first.pid}").exists(), seconds=10, what="the script is gone")


@pytest.mark.parametrize("name", ["path", "code", "python", "root", "tries", "model"])
def test_a_readonly_variable_of_the_script_does_no_harm(place: Path, name: str) -> None:
    done = plain_bash(place, f"readonly {name}=x; source {FACE}\nacquire_whisper_lock tiny || exit 1\necho heavy")
    assert done.stdout.splitlines()[1:] == ["heavy"], done.stderr
    refused = plain_bash(
        place, f"readonly {name}=x; source {FACE}\nJ5A_MARGIN_GIB=1000 acquire_whisper_lock tiny || exit 1\necho heavy"
    )
    assert "heavy" not in refused.stdout


@pytest.mark.parametrize("before", ["", "CDPATH=.:/tmp;", 'cd() { builtin cd "$@" && ls; };'])
def test_it_finds_its_panel_when_the_script_moves(place: Path, before: str) -> None:
    done = plain_bash(
        place, f"{before} source ops/resource_safety_gate.sh; cd /tmp >/dev/null; acquire_whisper_lock tiny"
    )
    assert done.returncode == 0, done.stderr


def test_it_finds_its_panel_through_a_link(place: Path, tmp_path: Path) -> None:
    (tmp_path / "gate.sh").symlink_to(FACE)
    assert plain_bash(place, f"source {tmp_path}/gate.sh; acquire_whisper_lock tiny").returncode == 0


def test_a_name_that_begins_with_a_dash_is_a_name(place: Path) -> None:
    """As a login shell's: -bash."""
    done = subprocess.run(
        ["bash", "-c", f"source {FACE}; acquire_whisper_lock tiny", "-bash"],
        env=environment(place), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_script_whose_name_is_no_text_gets_the_lock_as_well(place: Path, tmp_path: Path) -> None:
    script = os.fsencode(tmp_path) + b"/n\xff.sh"
    Path(os.fsdecode(script)).write_text(f"source {FACE}; acquire_whisper_lock tiny && release_whisper_lock\n")
    done = subprocess.run(
        ["bash", script], env=environment(place), capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "Whisper lock released" in done.stdout


def test_asked_again_while_it_holds_it_asks_the_gate_again(place: Path) -> None:
    done = bash(
        place, "acquire_whisper_lock tiny; J5A_MARGIN_GIB=1000 acquire_whisper_lock tiny && echo yes || echo no"
    )
    assert done.stdout.splitlines()[-1] == "no"


def test_what_the_script_ran_before_is_not_admitted_with_it(place: Path, tmp_path: Path) -> None:
    whisper = tmp_path / "whisper.py"
    whisper.write_text("import time\ntime.sleep(60)\n")
    script = f"{sys.executable} {whisper} >/dev/null 2>&1 & sleep 0.3; acquire_whisper_lock tiny || echo no; kill $!"
    done = bash(place, script)
    assert done.stdout == "no\n"
    assert "3/5 BLOCK" in done.stderr


def test_nobody_gives_back_for_somebody_else(place: Path) -> None:
    first = holder(place, "acquire_whisper_lock tiny; echo held; read -r _")
    try:
        hear(first, "held")
        lock = place / "locks" / "whisper_large.lock"
        done = bash(place, f"exec 9<>{lock}; _j5a_gate lock release --fd 9 --pid {first.pid} || echo refused")
        assert "refused" in done.stdout
        assert line_of(place) == str(first.pid)
    finally:
        first.kill()
        first.communicate()


def test_another_shell_is_told_that_it_needs_bash(place: Path) -> None:
    done = subprocess.run(
        ["dash", "-c", f". {FACE}"], env=environment(place), capture_output=True, text=True, check=False
    )
    assert "needs bash" in done.stderr
