"""Whatever ends a run in the middle of a chunk, the next one takes over the windows that were decoded."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

from tests.support.panel import Panel, until
from tests.support.speech_files import joined
from tests.support.windows import assert_windows_taken_over
from tools.demo_model.scoring import word_error_rate


def attempt(panel: Panel, job_id: int, number: int) -> sqlite3.Row | None:
    rows = panel.rows("SELECT * FROM transcribe_attempt WHERE job_id = ? AND number = ?", job_id, number)
    return rows[0] if rows else None


def until_it_decodes(panel: Panel, job_id: int, number: int) -> None:
    """Until a window of the attempt is told as decoded."""

    def decodes() -> bool:
        row = attempt(panel, job_id, number)
        assert panel.job(job_id)["status"] != "succeeded", "the recording was too short for this test"
        return row is not None and row["decoded_windows"] >= 1

    until(decodes, seconds=180, what=f"attempt {number} decodes")


def test_engine_worker_and_cancel(own_panel: Panel, tmp_path: Path) -> None:
    panel = own_panel
    recording = joined(tmp_path / "one-chunk.wav", minutes=9)
    job_id = panel.submit(recording.path, language="en")
    work = panel.data_dir / "work" / f"job-{job_id}"
    until_it_decodes(panel, job_id, 1)
    assert stat.S_IMODE((work / "chunk-0.journal").stat().st_mode) == 0o600
    panel.engines()[0].kill()
    until_it_decodes(panel, job_id, 2)
    panel.child("worker").kill()
    until_it_decodes(panel, job_id, 3)
    panel.login()
    page = panel.get(f"/jobs/{job_id}/")
    panel.post_form(f"/jobs/{job_id}/cancel/", {}, page=page)
    panel.wait_for_job(job_id, "cancelled", seconds=60)
    until(lambda: [path.name for path in work.iterdir()] == ["chunk-0.journal"], seconds=30, what="only it is kept")
    panel.post_form(f"/jobs/{job_id}/retry/", {}, page=page)
    panel.wait_for_job(job_id, "succeeded", seconds=240)
    assert word_error_rate(recording.text, panel.text(job_id)) <= 0.05
    query = "SELECT * FROM transcribe_attempt WHERE job_id = ? ORDER BY number"
    attempts = panel.rows(query, job_id)
    outcomes = [row["outcome"] for row in attempts]
    assert outcomes == ["engine_lost", "worker_lost", "cancelled", "succeeded"]
    assert_windows_taken_over(panel, job_id)
    taken_over, decoded = attempts[-1]["replayed_windows"], attempts[-1]["decoded_windows"]
    assert taken_over >= 3
    assert f"{taken_over} windows taken over" in panel.get(f"/jobs/{job_id}/")
    assert decoded + taken_over >= 18  # 9 minutes
    until(lambda: not work.exists(), seconds=30, what="the work directory is gone")
