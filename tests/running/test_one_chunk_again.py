"""A chunk that was set aside is tried again alone: what is finished is not read a second time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.panel import Panel
from tests.running.test_killed import begun, reading_again
from tools.demo_model.scoring import word_error_rate


def test_only_the_chunk_that_was_set_aside_is_read_again(make_panel: Callable[..., Panel], tmp_path: Path) -> None:
    panel = make_panel()
    job_id, recording, engine = begun(panel, tmp_path)
    engine.kill()
    reading_again(panel, job_id, attempt=2).kill()
    panel.wait_for_job(job_id, "incomplete", seconds=120)
    chunks = 'SELECT status, attempts, finished_at FROM transcribe_chunk WHERE job_id = ? ORDER BY "index"'
    first = panel.rows(chunks, job_id)[0]
    panel.login()
    page = panel.get(f"/jobs/{job_id}/")
    assert "Try this chunk again" in page
    panel.post_form(f"/jobs/{job_id}/chunks/1/again/", {}, page=page)
    panel.wait_for_job(job_id, "succeeded", seconds=240)
    after = panel.rows(chunks, job_id)
    assert tuple(after[0]) == tuple(first), "the finished chunk stayed as it was"
    assert (after[1]["status"], after[1]["attempts"]) == ("done", 1)
    assert word_error_rate(recording.text, panel.text(job_id)) <= 0.05
