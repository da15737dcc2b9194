"""The older document's "Testing & Validation" section, step by step, against the shell face and the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.panel import BASE_DIR, Panel, until
from tests.support.speech_files import SPEECH_DIR, joined, sample
from tools.demo_model.scoring import word_error_rate

GATE = [str(BASE_DIR / "ops" / "resource_safety_gate.sh"), "demo"]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "J5A_PYTHON": sys.executable,
        "J5A_DATA_DIR": str(tmp_path / "var"),
        "J5A_LOCK_DIR": str(tmp_path / "locks"),
        "J5A_MARGIN_GIB": "0.5",
    }


def transcribe(file: Path, out: Path, *more: str) -> list[str]:
    words = ["--model", "demo", "--language", "en", "--output_dir", str(out), "--output_format", "txt"]
    return [sys.executable, "manage.py", "transcribe", str(file), *words, *more]


def run(command: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=BASE_DIR, env=env, capture_output=True, text=True, timeout=300, check=False)


def start(command: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=BASE_DIR, env=env, stdin=quiet, stdout=quiet, stderr=quiet)


def lock_names_an_engine(env: dict[str, str]) -> bool:
    lock = Path(env["J5A_LOCK_DIR"]) / "whisper_large.lock"
    pid = lock.read_text().strip() if lock.exists() else ""
    return bool(pid) and b"transcribe.engine" in Path(f"/proc/{pid}/cmdline").read_bytes()


def test_the_gate_passes_on_a_healthy_machine_and_blocks_while_whisper_runs(
    env: dict[str, str], tmp_path: Path
) -> None:
    assert run(GATE, env).returncode == 0
    running = start(transcribe(joined(tmp_path / "long.wav", minutes=16).path, tmp_path), env)
    try:
        until(lambda: lock_names_an_engine(env), seconds=60, what="the engine works")
        blocked = run(GATE, env)
    finally:
        running.terminate()
        running.wait(60)
    assert blocked.returncode == 1
    assert "5/5 BLOCK   lock: held by PID" in blocked.stdout


def test_a_short_recording_is_one_chunk(env: dict[str, str], tmp_path: Path) -> None:
    done = run(transcribe(sample().path, tmp_path), env)
    assert done.returncode == 0, done.stderr
    assert word_error_rate(sample().text, (tmp_path / "sample.txt").read_text()) <= 0.05


def test_of_two_at_once_the_second_is_blocked(env: dict[str, str], tmp_path: Path) -> None:
    first = start(transcribe(joined(tmp_path / "file1.wav", minutes=16).path, tmp_path), env)
    try:
        until(lambda: lock_names_an_engine(env), seconds=60, what="the first works")
        second = run(transcribe(SPEECH_DIR / "clip_00.flac", tmp_path, "--no-wait"), env)
    finally:
        first.terminate()
        first.wait(60)
    assert second.returncode == 75
    assert "Blocked by lock" in second.stderr
    assert not (tmp_path / "clip_00.txt").exists()


def test_scripts_and_the_panel_exclude_each_other(make_panel: Callable[..., Panel], tmp_path: Path) -> None:
    """What the document could not promise: a script with the lock holds the panel's queue, and the other way round."""
    panel = make_panel(J5A_MARGIN_GIB="0.5")
    env = {**panel.env, "J5A_PYTHON": sys.executable}
    script = f"source {GATE[0]}; acquire_whisper_lock demo || exit 1; echo held; read -r _"
    holder = subprocess.Popen(
        ["bash", "-c", script], env=env, cwd=BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert "acquired" in holder.stdout.readline()
        job_id = panel.submit(SPEECH_DIR / "clip_00.flac")
        job = panel.wait_for_job(job_id, "blocked")
        assert f"held by PID {holder.pid} for script bash" in job["reason"]
    finally:
        holder.communicate("\n")
    panel.wait_for_job(job_id, "succeeded")
    assert word_error_rate(_said("clip_00.flac"), panel.text(job_id)) <= 0.05


def _said(name: str) -> str:
    import json

    clips = json.loads((SPEECH_DIR / "clips.json").read_text())["clips"]
    return next(str(clip["text"]) for clip in clips if clip["file"] == name)
