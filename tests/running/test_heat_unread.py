"""An engine that is paused for heat, and then no sensor answers any more: it is ended, never left stopped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.hot_machine import hot_panel, state_of
from tests.panel import until
from tests.running.test_heat import PLAIN, activity, outcomes, recording, started

pytestmark = pytest.mark.usefixtures("namespaces")


def test_a_sensor_that_never_answers_does_not_leave_it_stopped(tmp_path: Path) -> None:
    """As drivers do whose bus hangs: here a pipe that nobody writes to."""
    panel, thermometer = hot_panel(tmp_path, 60.0, J5A_ENGINE_THREADS="1", J5A_PAUSE_LIMIT_SECONDS="10")
    silent = thermometer.folder / "silent"
    os.mkfifo(silent)
    try:
        panel.start()
        job_id = panel.submit(recording(tmp_path).path, **PLAIN)
        engine = started(panel, job_id)
        thermometer.set(82.0)
        activity(panel, job_id, "Paused")
        thermometer.fall_silent(silent)
        until(lambda: state_of(engine) == "", seconds=60, what="the engine is gone")
        until(lambda: outcomes(panel, job_id)[:1] == ["machine_ended"], seconds=60, what="the attempt has ended")
        (ended,) = panel.rows("SELECT reason FROM transcribe_attempt WHERE job_id = ? AND number = 1", job_id)
        assert ended["reason"].startswith("Ended for heat: paused for heat longer than 10 s")
        thermometer.set(60.0)
        with silent.open("r+b", buffering=0) as pipe:  # whoever waits for it gets an answer
            pipe.write(b"60000\n")
        panel.wait_for_job(job_id, "succeeded", seconds=240)
    finally:
        thermometer.set(60.0)
        with silent.open("r+b", buffering=0) as pipe:
            pipe.write(b"60000\n")
        panel.stop()
