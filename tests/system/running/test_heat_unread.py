"""No sensor answers any more while an engine works or is paused for heat: it is ended, for nobody watches it."""

from __future__ import annotations

import html
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.hot_machine import Thermometer, hot_panel, state_of
from tests.support.panel import BASE_DIR, Panel, until
from tests.support.speech_files import SPEECH_DIR, joined
from tests.support.windows import until_it_decodes
from tests.system.running.test_heat import PLAIN, activity, outcomes, started, told

pytestmark = pytest.mark.usefixtures("namespaces")


@pytest.mark.parametrize(("celsius", "doing", "minutes"), [(82.0, "Paused", 1), (60.0, "Reading speech", 3)])
def test_a_sensor_that_never_answers_ends_it(tmp_path: Path, celsius: float, doing: str, minutes: float) -> None:
    """As drivers do whose bus hangs: here a pipe that nobody writes to."""
    panel, thermometer = hot_panel(tmp_path, 60.0, J5A_ENGINE_THREADS="1")
    silent = thermometer.folder / "silent"
    os.mkfifo(silent)
    writer = silent.open("r+b", buffering=0)  # so that who reads waits in the reading, as at a driver, not in opening
    try:
        panel.start()
        job_id = panel.submit(joined(tmp_path / "talk.wav", minutes=minutes).path, **PLAIN)
        engine = started(panel, job_id)
        thermometer.set(celsius)
        activity(panel, job_id, doing)
        thermometer.fall_silent(silent)
        if doing == "Reading speech":  # else a fast machine may be done before it is ended
            os.killpg(engine, signal.SIGSTOP)
        panel.login()
        until(lambda: "does not answer" in panel.get("/gate/"), seconds=30, what="the gate says so")
        for page in ("/gate/", "/sensors/"):
            shown = html.unescape(panel.get(page))
            # by its label where it was read before, else by its file: the label may be what hangs
            assert re.search(r"he sensor coretemp/(Package id 0|temp1) \(", shown)
            assert "modprobe coretemp" not in shown, "the sensor is there"
        command = [*panel.under, sys.executable, "manage.py", "gate", "sensors"]
        listed = subprocess.run(command, cwd=BASE_DIR, env=panel.env, capture_output=True, text=True, check=True)
        assert listed.stdout.startswith("No temperature: the sensor coretemp/temp1 (")
        samples = "SELECT count(*) FROM gate_sensorsample WHERE celsius IS NULL"
        until(lambda: panel.rows(samples)[0][0] >= 3, seconds=60, what="the sampler goes on without it")
        until(lambda: state_of(engine) == "", seconds=60, what="the engine is gone")
        until(lambda: outcomes(panel, job_id)[:1] == ["machine_ended"], seconds=60, what="the attempt has ended")
        (ended,) = panel.rows("SELECT reason FROM transcribe_attempt WHERE job_id = ? AND number = 1", job_id)
        assert ended["reason"].startswith("Ended for heat: the sensors could not be read for 30 s")
        until(lambda: ("thermal_end", "open") in told(panel), seconds=30, what="an incident tells of it")
        thermometer.set(60.0)
        writer.close()  # whoever waits for it reads to its end
        panel.wait_for_job(job_id, "succeeded", seconds=240)
    finally:
        thermometer.set(60.0)
        writer.close()
        panel.stop()


def test_where_the_sensor_is_gone_what_runs_goes_on_and_nothing_begins(
    hot: tuple[Panel, Thermometer], tmp_path: Path
) -> None:
    panel, thermometer = hot
    job_id = panel.submit(joined(tmp_path / "talk.wav", minutes=5).path, **PLAIN)
    until_it_decodes(panel, job_id)
    thermometer.vanish()
    after = panel.submit(SPEECH_DIR / "clip_00.flac", **PLAIN)
    panel.wait_for_job(job_id, "succeeded", seconds=300)
    job = panel.wait_for_job(after, "blocked", seconds=60)
    assert "a sensor was seen on this machine before, and none answers now" in job["reason"]
    thermometer.set(60.0)
    panel.wait_for_job(after, "succeeded", seconds=120)
