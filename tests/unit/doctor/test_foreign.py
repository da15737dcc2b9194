"""A Whisper that is not ours is named, with the PID that would be ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from gate.core.readings import ForeignProcess, ProcessReading
from j5a_admin.doctor.findings import Status
from j5a_admin.doctor.processes import judge_foreign
from tests.support.doctor_runs import run_doctor

CPP = ForeignProcess(pid=7, what="whisper-cli", command="whisper-cli -m ggml-base.bin", age_seconds=60.0)
PYTHON = ForeignProcess(pid=8, what="faster-whisper", command="python -m faster_whisper", age_seconds=None)


def test_it_passes_when_there_is_none() -> None:
    (finding,) = judge_foreign(ProcessReading())
    assert finding.status is Status.PASS


def test_it_warns_of_each_with_its_pid() -> None:
    first, second = judge_foreign(ProcessReading(foreign=(CPP, PYTHON)))
    assert first.sentence == "whisper-cli runs (PID 7): whisper-cli -m ggml-base.bin"
    assert "`kill 8`" in second.advice
    assert {first.status, second.status} == {Status.WARN}


def test_it_fails_when_the_process_table_is_closed() -> None:
    (finding,) = judge_foreign(ProcessReading(problem="PermissionError: /proc"))
    assert finding.status is Status.FAIL
    assert "PermissionError: /proc" in finding.sentence


def test_it_finds_a_real_one(tmp_path: Path) -> None:
    script = tmp_path / "whisper.py"
    script.write_text("print('ready', flush=True); input()")
    process = subprocess.Popen([sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        answer = run_doctor(tmp_path, "--json")
    finally:
        process.kill()
        process.communicate()
    mine = [f for f in answer.named("foreign Whisper") if f"(PID {process.pid})" in f.sentence]
    assert [(f.status, str(script) in f.sentence) for f in mine] == [(Status.WARN, True)]
