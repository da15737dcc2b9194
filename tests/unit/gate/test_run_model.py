"""`gate run` asks for the larger of the model it is told and the one that the command loads, and says so."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from gate.cli.run_model import run_requirement
from gate.core.audit.launches import command_models
from gate.core.requirement import Requirement, requirement_for_checkpoint, requirement_for_model
from gate.core.units import GIB
from tests.support.panel import BASE_DIR


def asked(*command: str, said: str | None = None, file_bytes: int | None = None) -> tuple[str, list[str]]:
    """The model the gate is asked for, and what is said about it."""
    told: list[str] = []

    def by_file(path: str) -> Requirement | None:
        return None if file_bytes is None else requirement_for_checkpoint(path, file_bytes)

    requirement = run_requirement(
        command, said, requirement_of=requirement_for_model, file_requirement=by_file, say=told.append
    )
    return requirement.model, told


def test_a_larger_model_of_the_command_counts_and_is_told() -> None:
    told = ["the command asks for large-v3, which counts: tiny needs less."]
    assert asked("whisper", "x", "--model", "large-v3", said="tiny") == ("large-v3", told)
    told = ["the command asks for turbo, the default of whisper, which counts: tiny needs less."]
    assert asked("whisper", "x", said="tiny") == ("turbo", told)


def test_a_larger_model_that_was_said_stays() -> None:
    assert asked("whisper", "x", "--model", "tiny", said="medium") == ("medium", [])
    assert asked("whisper", "x", "--model", "base", said="tiny") == ("tiny", [])


def test_without_a_word_the_commands_own_counts() -> None:
    assert asked("whisper", "x", "--model", "small") == ("small", [])
    assert asked("bash", "-c", "whisper a --model tiny; whisper b --model medium") == ("medium", [])


def test_where_nothing_says_which_it_is_the_default() -> None:
    assert asked("ffmpeg", "x") == ("large-v3", [])
    assert asked("bash", "-c", 'whisper x --model "$MODEL"') == ("large-v3", [])
    assert asked("bash", "-c", 'whisper x --model tiny; whisper x --model "$MODEL"') == ("large-v3", [])


def test_what_only_variables_know_leaves_what_was_said() -> None:
    assert asked("bash", "-c", 'whisper x --model "$MODEL"', said="tiny") == ("tiny", [])


def test_a_name_that_is_not_known_counts_as_the_largest_unless_it_is_a_file() -> None:
    line = ("whisper", "x", "--model", "mine.pt")
    assert asked(*line) == ("large-v3", ["the command asks for mine.pt, which is not known and counts as large-v3."])
    assert asked(*line, said="tiny")[0] == "large-v3"
    assert asked(*line, file_bytes=1000) == ("mine.pt", [])
    assert asked(*line, said="tiny", file_bytes=GIB) == (
        "mine.pt", ["the command asks for mine.pt, which counts: tiny needs less."],
    )  # fmt: skip


SCRIPTS = {
    "night.sh": "#!/bin/bash\nfor f in *.mp3; do whisper \"$f\" --model medium; done\n",
    "night.py": "import whisper\nmodel = whisper.load_model('medium')\n",
    "plain": "#!/usr/bin/env python3\nimport subprocess\nsubprocess.run(['whisper', 'a', '--model', 'medium'])\n",
}  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "env LANG=C nice -n 5 timeout 60 whisper x --model medium",
        "bash -c 'whisper $1 --model medium' sh a.mp3",
        "bash {}/night.sh",
        "bash -euo pipefail {}/night.sh a.mp3",
        "bash +o posix -O nullglob --rcfile {} {}/night.sh",
        "python3 -W ignore -X dev {}/night.py",
        "ionice -c 3 {}/night.sh a b",
        "python3 {}/night.py",
        "nice {}/plain",
        "find . -exec whisper x --model medium ;",
        "xargs whisper --model medium",
        "python3 -c 'import whisper; whisper.load_model(\"medium\")'",
    ],
)
def test_it_sees_through_prefixes_texts_and_scripts(line: str, tmp_path: Path) -> None:
    for name, text in SCRIPTS.items():
        (tmp_path / name).write_text(text)
    assert [model.name for model in command_models(_words(line.replace("{}", str(tmp_path)))) if model] == ["medium"]


def test_it_finds_a_script_of_the_path_and_a_module_of_the_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in SCRIPTS.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    for line in ("nice night.sh", "plain", "python3 -um night"):
        assert [model.name for model in command_models(_words(line)) if model] == ["medium"], line


@pytest.mark.parametrize(
    "line",
    ["sleep 60", "bash missing.sh", "bash", "/bin/true", "env", "nice nice nice", "python3", "python3 -m", "bash -o"],
)
def test_it_sees_no_model_where_there_is_none(line: str) -> None:
    assert command_models(_words(line)) == ()


def _words(line: str) -> Sequence[str]:
    return shlex.split(line)


# ── the command itself ───────────────────────────────────────────────────────────────────────────
def gate_run(place: Path, *words: str, margin: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "gate", "run", *words],
        cwd=BASE_DIR,
        env={
            **os.environ,
            "J5A_DATA_DIR": str(place / "var"), "J5A_LOCK_DIR": str(place / "locks"), "J5A_MARGIN_GIB": margin,
        },
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_the_gate_is_asked_for_what_the_command_loads(tmp_path: Path) -> None:
    """Under a margin that nothing meets, so that the refusal names the model that was asked for."""
    done = gate_run(tmp_path, "--model", "tiny", "--", "whisper", "x", "--model", "large-v3", margin="1000")
    assert done.returncode == 75
    assert "gate: the command asks for large-v3, which counts: tiny needs less." in done.stderr
    assert "This machine can never start large-v3" in done.stderr
    done = gate_run(tmp_path, "--", "whisper", "x", "--model", "tiny", margin="1000")
    assert "This machine can never start tiny" in done.stderr


def test_the_lock_names_the_model_of_the_command_and_a_checkpoint_counts_by_its_size(tmp_path: Path) -> None:
    """A stand-in of Whisper's name that shows the record of the lock, which it runs under."""
    program = tmp_path / "whisper"
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/locks/whisper_large.lock.json\n")
    program.chmod(0o755)
    demo = BASE_DIR / "transcribe" / "demo" / "demo.pt"
    done = gate_run(tmp_path, "--model", "tiny", "--", str(program), "x", "--model", str(demo), margin="0.5")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["model"] == "tiny"
    done = gate_run(tmp_path, "--", str(program), "x", "--model", str(demo), margin="0.5")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["model"].endswith("demo.pt")
