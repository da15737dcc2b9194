"""A machine that grows hot before the first window is read: while the model is loaded and the recording decoded."""

from __future__ import annotations

from pathlib import Path

import psutil

from gate.core.heatfile import HeatFile
from tests.support.audio_files import write_hours
from tests.support.engines import manners_of
from tests.support.hot_machine import Thermometer, state_of
from tests.support.panel import Panel, until
from tests.support.speech_files import joined
from tests.system.running.test_heat import PLAIN, activity, outcomes, started


def decoder(panel: Panel) -> psutil.Process | None:
    for process in panel.family():
        try:
            if "transcribe.audio.prepare_child" in process.cmdline():
                return process
        except psutil.Error:
            continue
    return None


def test_the_decoder_is_held_with_the_engine_and_ends_with_it(hot: tuple[Panel, Thermometer], tmp_path: Path) -> None:
    panel, thermometer = hot
    job_id = panel.submit(write_hours(tmp_path / "hours.wav", 3), language="en")
    found = until(lambda: decoder(panel), seconds=60, what="the recording is decoded")
    thermometer.set(82.0)
    until(lambda: state_of(found.pid) == "T", seconds=10, what=f"it is paused; it is {state_of(found.pid)!r}")
    (engine,) = panel.engines()
    assert state_of(engine.pid) == "T"
    assert set(manners_of(found.pid).values()) == {(10, "idle")}
    assert Path(f"/proc/{found.pid}/oom_score_adj").read_text() == "500\n"

    thermometer.set(74.0)
    until(lambda: state_of(found.pid) not in ("T", ""), seconds=10, what="it goes on with the engine")
    thermometer.set(91.0)
    job = panel.wait_for_job(job_id, "blocked", seconds=30)
    assert "91.0 °C" in job["reason"]
    assert state_of(found.pid) == "", "it is gone before the job says so"
    assert not (panel.data_dir / "work" / f"job-{job_id}" / "audio.pcm").exists(), "it was not at its end"
    assert decoder(panel) is None
    panel.cancel(job_id)


def test_what_was_paused_while_it_loaded_reads_at_once_when_it_goes_on(
    hot: tuple[Panel, Thermometer], tmp_path: Path
) -> None:
    panel, thermometer = hot
    job_id = panel.submit(joined(tmp_path / "talk.wav", minutes=1).path, **PLAIN)
    started(panel, job_id)
    thermometer.set(82.0)
    activity(panel, job_id, "Paused")
    thermometer.set(74.0)
    activity(panel, job_id, "Resting 24 %")
    thermometer.set(78.0)  # warm, as a machine is that works
    panel.wait_for_job(job_id, "succeeded", seconds=240)
    rows = panel.rows("SELECT outcome FROM transcribe_attempt WHERE job_id = ?", job_id)
    assert [row["outcome"] for row in rows] == ["succeeded"]


def test_a_loaded_engine_waits_until_the_gate_says_that_it_is_cool(
    hot: tuple[Panel, Thermometer], tmp_path: Path
) -> None:
    panel, thermometer = hot
    job_id = panel.submit(write_hours(tmp_path / "hour.wav", 1), **PLAIN)
    engine = started(panel, job_id)
    until(lambda: decoder(panel), seconds=60, what="the recording is decoded")
    thermometer.set(78.0)
    HeatFile(panel.lock_path).trip()  # as the gate of another panel does that has read 80 °C
    waits = activity(panel, job_id, "Waits to cool")
    assert waits.startswith("Waits to cool, with the model loaded: 78.0 °C (coretemp Package id 0), still cooling")
    assert state_of(engine) != "", "its model stays loaded"
    thermometer.set(74.0)
    query = "SELECT admitted FROM gate_verdictrecord WHERE purpose = 'chunk' AND job_ref = ? ORDER BY id"
    until(
        lambda: [row[0] for row in panel.rows(query, str(job_id))] == [0, 1], seconds=20, what="the gate lets it read"
    )
    activity(panel, job_id, "Resting")
    assert outcomes(panel, job_id) == [""], "the same attempt goes on"
    panel.cancel(job_id)
