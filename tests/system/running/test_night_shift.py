"""The hours of a real panel: nothing runs outside, a change through the page starts it, and closing puts a job back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.support.panel import Panel, until
from tests.support.speech_files import SPEECH_DIR, joined
from tests.support.windows import assert_windows_taken_over, until_it_decodes
from tools.demo_model.scoring import word_error_rate

CLIP = SPEECH_DIR / "clip_00.flac"


def set_hours(panel: Panel, *, is_open: bool) -> None:
    """Through the page: the whole week, or one hour of a day that is neither today nor tomorrow."""
    page = panel.get("/hours/")
    days = {f"day_{day}": "0-24" if is_open else "" for day in range(7)}
    if not is_open:
        days[f"day_{(datetime.now(UTC).weekday() + 3) % 7}"] = "1-2"
    answer = panel.post_form("/hours/", {"when": "hours", "zone": "UTC", **days}, page=page)
    assert "The hours are saved." in answer


def test_outside_the_hours_nothing_runs_and_inside_it_does(panel: Panel) -> None:
    panel.login()
    set_hours(panel, is_open=False)
    try:
        first, second = panel.submit(CLIP), panel.submit(CLIP)
        page = panel.get(f"/jobs/{second}/")
        assert "Waits for the night shift: goes on" in page
        assert "Waits for the night shift: goes on" in panel.get("/")
        panel.post_form(f"/jobs/{second}/now/", {}, page=page)
        panel.wait_for_job(second, "succeeded")  # so the queue has looked, and left the first alone
        job = panel.job(first)
        assert (job["status"], job["attempt"]) == ("queued", 0)
        verdicts = panel.rows("SELECT * FROM gate_verdictrecord WHERE job_ref = ?", str(second))
        assert verdicts, "the gate was asked, although a person said now"
    finally:
        set_hours(panel, is_open=True)
    panel.wait_for_job(first, "succeeded")


def test_a_command_at_a_terminal_keeps_no_hours(panel: Panel, tmp_path: Path) -> None:
    panel.login()
    set_hours(panel, is_open=False)
    try:
        done = panel.manage("transcribe", str(CLIP), "--output_dir", str(tmp_path), timeout=240)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "clip_00.txt").is_file()
    finally:
        set_hours(panel, is_open=True)


def test_a_job_that_the_end_of_the_hours_stops_goes_on_when_they_open(
    make_panel: Callable[..., Panel], tmp_path: Path
) -> None:
    panel = make_panel()
    panel.login()
    set_hours(panel, is_open=True)
    recording = joined(tmp_path / "long.wav", minutes=5)
    job_id = panel.submit(recording.path, language="en")
    until_it_decodes(panel, job_id)
    (engine,) = panel.engines()
    set_hours(panel, is_open=False)
    job = panel.wait_for_job(job_id, "queued", seconds=60)
    assert not engine.is_running()
    assert job["reason"].startswith("Waits for the night shift: goes on")
    attempts = panel.rows("SELECT outcome FROM transcribe_attempt WHERE job_id = ?", job_id)
    assert [row["outcome"] for row in attempts] == ["hours_ended"]
    until(lambda: panel.lock_path.read_text().strip() == "", seconds=20, what="the lock is free")
    time.sleep(2)  # the page tells a wait from one second on
    set_hours(panel, is_open=True)
    panel.wait_for_job(job_id, "succeeded", seconds=240)
    assert word_error_rate(recording.text, panel.text(job_id)) <= 0.05
    whole = panel.submit(recording.path, language="en")
    panel.wait_for_job(whole, "succeeded", seconds=300)
    assert panel.text(job_id) == panel.text(whole)
    assert_windows_taken_over(panel, job_id, whole)
    assert "Waited for the hours" in panel.get(f"/jobs/{job_id}/")
