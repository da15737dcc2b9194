"""A real OOM kill of the engine in a real control group is named, and one elsewhere is not blamed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gate.core.oom import OomJudgement, OomWitness
from tests.support.machines import may_skip
from tests.support.panel import Panel, until
from tests.support.speech_files import joined
from tests.system.gate.test_other_machines import group_place

SMALL_BYTES = 4 * 1024**2  # less than one window's tensors: the engine's next allocations do not fit
KERNEL_LINES = (
    "SELECT e.text FROM gate_incidentevidence AS e JOIN gate_incident AS i ON i.id = e.incident_id"
    " WHERE i.kind = 'oom_kill' AND e.title LIKE 'Kernel lines%'"
)
HUNGRY = "import sys; sys.stdin.readline(); print(len(bytearray(64 << 20)))"


@pytest.fixture
def make_group() -> Iterator[Callable[[], Path]]:
    place = group_place()
    if os.geteuid() != 0 or place is None:
        may_skip("needs root and a memory controller")
    assert place is not None
    root, limit_file, _ = place
    made: list[Path] = []

    def make() -> Path:
        folder = root / f"j5a-test-{uuid.uuid4().hex[:8]}"
        folder.mkdir()
        made.append(folder)
        (folder / limit_file).write_text(str(SMALL_BYTES))
        return folder

    yield make
    for folder in made:
        end = time.monotonic() + 5
        while folder.exists() and time.monotonic() < end:
            with suppress(OSError):
                folder.rmdir()


def reading(panel: Panel, job_id: int, *, attempt: int) -> int:
    until(lambda: panel.job(job_id)["attempt"] == attempt, seconds=60, what=f"attempt {attempt}")
    until(lambda: panel.job(job_id)["activity"] == "Reading speech", seconds=60, what="it reads")
    (engine,) = panel.engines()
    return engine.pid


def attempts(panel: Panel, job_id: int) -> list[tuple[str, str]]:
    rows = panel.rows("SELECT outcome, reason FROM transcribe_attempt WHERE job_id = ? ORDER BY number", job_id)
    return [(row["outcome"], row["reason"]) for row in rows]


def test_an_oom_kill_is_named_and_the_job_goes_on(
    make_panel: Callable[..., Panel], make_group: Callable[[], Path], tmp_path: Path
) -> None:
    panel = make_panel(J5A_ENGINE_THREADS="1")
    job_id = panel.submit(joined(tmp_path / "talk.wav", minutes=2).path, language="en")
    pid = reading(panel, job_id, attempt=1)
    folder = make_group()
    # Its group is looked at each second. Without the stop it would be killed before the watch knows where it went.
    os.kill(pid, signal.SIGSTOP)
    (folder / "cgroup.procs").write_text(str(pid))
    time.sleep(8)
    os.kill(pid, signal.SIGCONT)
    panel.wait_for_job(job_id, "succeeded", seconds=180)
    (first, reason), (last, _) = attempts(panel, job_id)
    assert (first, last) == ("engine_lost", "succeeded")
    assert "The kernel ended the engine because memory ran out (OOM kill) in the control group" in reason
    assert "whose limit is 4 MiB" in reason
    row = panel.rows("SELECT exit_code FROM transcribe_attempt WHERE job_id = ? AND number = 1", job_id)[0]
    assert row["exit_code"] == -signal.SIGKILL
    (incident,) = panel.rows("SELECT job_ref, status FROM gate_incident WHERE kind = 'oom_kill'")
    assert (incident["job_ref"], incident["status"]) == (f"job {job_id}", "open")
    (lines,) = until(lambda: panel.rows(KERNEL_LINES), seconds=60, what="the sampler adds the kernel's lines")
    if subprocess.run(["dmesg"], capture_output=True).returncode == 0:
        assert f"Killed process {pid} " in lines["text"] or "oom" in lines["text"].lower()
    panel.login()
    assert "because memory ran out" in panel.get(f"/jobs/{job_id}/")


def test_an_oom_kill_elsewhere_is_not_blamed(
    make_panel: Callable[..., Panel], make_group: Callable[[], Path], tmp_path: Path
) -> None:
    panel = make_panel(J5A_ENGINE_THREADS="1")
    job_id = panel.submit(joined(tmp_path / "talk.wav", minutes=2).path, language="en")
    pid = reading(panel, job_id, attempt=1)
    other = subprocess.Popen([sys.executable, "-c", HUNGRY], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        (make_group() / "cgroup.procs").write_text(str(other.pid))
        other.communicate(b"\n", timeout=60)
        assert other.returncode == -signal.SIGKILL  # the kernel's OOM kill
    finally:
        other.kill()
        other.wait(30)
    os.kill(pid, signal.SIGKILL)
    until(lambda: attempts(panel, job_id)[0][0], seconds=30, what="the attempt has ended")
    outcome, reason = attempts(panel, job_id)[0]
    assert outcome == "engine_lost"
    assert reason.startswith("The engine was killed by signal 9 (SIGKILL). The kernel counted no OOM kill of it")


def test_one_in_the_same_group_that_is_long_past_is_not_blamed(make_group: Callable[[], Path]) -> None:
    folder = make_group()
    ours = subprocess.Popen(["sleep", "300"])
    other = subprocess.Popen([sys.executable, "-c", HUNGRY], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        for process in (ours, other):
            (folder / "cgroup.procs").write_text(str(process.pid))
        witness = OomWitness(ours.pid)
        other.communicate(b"\n", timeout=60)
        assert other.returncode == -signal.SIGKILL  # the kernel's OOM kill
        assert ours.poll() is None
        for _ in range(100):  # the looks of as many seconds
            witness.look()
        ours.kill()
        ours.wait(30)
        assert witness.report().judgement is OomJudgement.NO
    finally:
        for process in (ours, other):
            process.kill()
            process.wait(30)


def test_a_death_that_is_noticed_late_is_named_all_the_same(make_group: Callable[[], Path]) -> None:
    """As that of an engine that has its model, and waits for a long recording to be decoded."""
    ours = subprocess.Popen([sys.executable, "-c", HUNGRY], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        (make_group() / "cgroup.procs").write_text(str(ours.pid))
        witness = OomWitness(ours.pid)
        assert ours.stdin is not None
        ours.stdin.write(b"\n")
        ours.stdin.close()
        os.waitid(os.P_PID, ours.pid, os.WEXITED | os.WNOWAIT)  # dead, and not reaped: so the engine is, too
        for _ in range(100):  # the looks of as many seconds
            witness.look()
        assert witness.report().judgement is OomJudgement.YES
    finally:
        ours.kill()
        ours.wait(30)
