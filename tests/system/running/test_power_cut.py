"""A machine that goes down in the middle of a job: all is killed at once, and the next start is in another boot."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.support.machines import another_boot, in_place_of
from tests.support.panel import Panel, until
from tests.support.speech_files import joined
from tools.demo_model.scoring import word_error_rate


def black_box(panel: Panel) -> str:
    return "".join(path.read_text() for path in sorted((panel.data_dir / "blackbox").glob("?.jsonl")))


def cut_power(panel: Panel) -> None:
    """All stand still first: none may hear of another's death, and end in order because of it."""
    family = panel.family()
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
    psutil.wait_procs(family, timeout=30)
    assert panel.process is not None
    panel.process.wait(30)


@pytest.mark.usefixtures("namespaces")
def test_the_next_start_tells_what_ran_who_held_the_lock_and_what_was_recovered(
    make_panel: Callable[..., Panel], tmp_path: Path
) -> None:
    panel = make_panel(J5A_ENGINE_THREADS="1")
    recording = joined(tmp_path / "talk.wav", minutes=8)
    job_id = panel.submit(recording.path, title="Council", language="en")
    until(lambda: "chunk 1 of 1" in black_box(panel), seconds=120, what=f"the black box has it; {panel.log()[-2000:]}")
    (engine,) = panel.engines()
    cut_power(panel)

    panel.under = in_place_of(another_boot(tmp_path))
    panel.up()
    shutdowns = "SELECT * FROM gate_incident WHERE kind = 'unclean_shutdown' AND host != 'mac-mini-2012'"
    until(lambda: panel.rows(shutdowns), seconds=60, what=f"it tells of it; {panel.log()[-2000:]}")
    panel.wait_for_job(job_id, "succeeded", seconds=240)
    until(lambda: panel.rows(shutdowns)[0]["recovery"], seconds=60, what="what was recovered is told")
    (incident,) = panel.rows(shutdowns)
    assert (incident["subject"], incident["job_ref"]) == ("machine", f"job {job_id}")
    assert f"job {job_id} “Council”, chunk 1 of 1 ran, and the lock was held by PID {engine.pid}" in incident["summary"]
    assert f"job {job_id} “Council”, attempt 1, was queued again" in incident["recovery"]
    (lost,) = panel.rows("SELECT outcome FROM transcribe_attempt WHERE job_id = ? AND number = 1", job_id)
    assert lost["outcome"] == "worker_lost"
    assert word_error_rate(recording.text, panel.text(job_id)) <= 0.05
    panel.login()
    page = panel.get(f"/incidents/{incident['id']}/")
    assert "Council" in page
    assert "Readings of the last minute" in page
