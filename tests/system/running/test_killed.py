"""kill -9 in the middle of a job: it goes on from its last checkpoint, and its text is whole."""

from __future__ import annotations

from pathlib import Path

import psutil

from tests.support.panel import Panel, until
from tests.support.speech_files import SPEECH_DIR, Recording, joined
from tools.demo_model.scoring import word_error_rate


def two_chunks(tmp_path: Path) -> Recording:
    """Soon read to its second chunk, which then takes some seconds."""
    return joined(tmp_path / "long.wav", minutes=15.5, pause_seconds=60, dense_from_minutes=12)


def begun(panel: Panel, tmp_path: Path) -> tuple[int, Recording, psutil.Process]:
    """A job of two chunks whose first is a checkpoint, and the engine that reads the second."""
    recording = two_chunks(tmp_path)
    job_id = panel.submit(recording.path, language="en")
    query = 'SELECT status FROM transcribe_chunk WHERE job_id = ? ORDER BY "index"'
    until(
        lambda: [row["status"] for row in panel.rows(query, job_id)] == ["done", "running"],
        seconds=180,
        what="the second chunk is being read",
    )
    (engine,) = panel.engines()
    return job_id, recording, engine


def reading_again(panel: Panel, job_id: int, *, attempt: int) -> psutil.Process:
    """The engine that reads in the given attempt."""
    until(lambda: panel.job(job_id)["attempt"] == attempt, seconds=60, what=f"attempt {attempt}")
    until(lambda: panel.job(job_id)["activity"] == "Reading speech", seconds=60, what="it reads again")
    (engine,) = panel.engines()
    return engine


def assert_whole(panel: Panel, job_id: int, recording: Recording, *, begun: int = 2) -> None:
    """`begun`: how often the second chunk was begun."""
    panel.wait_for_job(job_id, "succeeded", seconds=240)
    assert word_error_rate(recording.text, panel.text(job_id)) <= 0.05
    query = 'SELECT attempts FROM transcribe_chunk WHERE job_id = ? ORDER BY "index"'
    assert [row["attempts"] for row in panel.rows(query, job_id)] == [1, begun]


def test_the_engine(own_panel: Panel, tmp_path: Path) -> None:
    panel = own_panel
    job_id, recording, engine = begun(panel, tmp_path)
    engine.kill()
    assert_whole(panel, job_id, recording)


def test_a_chunk_that_ends_two_engines_is_set_aside_and_tried_again_alone(own_panel: Panel, tmp_path: Path) -> None:
    panel = own_panel
    job_id, recording, engine = begun(panel, tmp_path)
    next_id = panel.submit(SPEECH_DIR / "clip_00.flac")
    engine.kill()
    reading_again(panel, job_id, attempt=2).kill()
    job = panel.wait_for_job(job_id, "incomplete", seconds=120)
    assert "1 of 2 chunks" in job["reason"]
    query = 'SELECT status FROM transcribe_chunk WHERE job_id = ? ORDER BY "index"'
    assert [row["status"] for row in panel.rows(query, job_id)] == ["done", "quarantined"]
    said_first = " ".join(u.text for u in recording.utterances if u.end_seconds < 600)
    assert word_error_rate(said_first, panel.text(job_id)) <= 0.10
    panel.wait_for_job(next_id, "succeeded")
    kept = panel.rows('SELECT * FROM transcribe_chunk WHERE job_id = ? ORDER BY "index"', job_id)[0]
    panel.login()
    page = panel.get(f"/jobs/{job_id}/")
    assert "Try this chunk again" in page
    panel.post_form(f"/jobs/{job_id}/chunks/1/again/", {}, page=page)
    assert_whole(panel, job_id, recording, begun=1)
    now = panel.rows('SELECT * FROM transcribe_chunk WHERE job_id = ? ORDER BY "index"', job_id)[0]
    assert tuple(now) == tuple(kept), "the finished chunk was not read again"


def test_a_recording_of_one_chunk_that_ends_two_engines_fails_and_says_why(own_panel: Panel, tmp_path: Path) -> None:
    panel = own_panel
    job_id = panel.submit(joined(tmp_path / "four-minutes.wav", minutes=4).path)
    for attempt in (1, 2):
        reading_again(panel, job_id, attempt=attempt).kill()
    job = panel.wait_for_job(job_id, "failed", seconds=60)
    assert job["reason"].startswith("Chunk 1 was set aside, having lost its process twice: The engine was killed")
    assert job["attempt"] == 2
    for row in panel.rows("SELECT exit_code, output_tail FROM transcribe_attempt WHERE job_id = ?", job_id):
        assert row["exit_code"] == -9
        assert "was loaded in" in row["output_tail"], "the end of what the engine wrote"


def test_the_worker(own_panel: Panel, tmp_path: Path) -> None:
    panel = own_panel
    job_id, recording, engine = begun(panel, tmp_path)
    panel.child("worker").kill()
    until(lambda: not engine.is_running(), seconds=15, what="the engine ends with its worker")
    assert_whole(panel, job_id, recording)
    attempts = panel.rows("SELECT outcome FROM transcribe_attempt WHERE job_id = ? ORDER BY number", job_id)
    assert [row["outcome"] for row in attempts] == ["worker_lost", "succeeded"]
    told = [row["kind"] for row in panel.rows("SELECT kind FROM gate_incident WHERE host != 'mac-mini-2012'")]
    assert "worker_lost" in told
    # The dead worker's wake-up is unlocked and taken again; left alone it would stay for the thirty days of `retry`.
    until(lambda: not panel.rows("SELECT id FROM django_q_ormq"), seconds=30, what="no wake-up is left over")


def test_a_stop_does_not_count_against_the_chunk(own_panel: Panel, tmp_path: Path) -> None:
    panel = own_panel
    job_id, recording, _ = begun(panel, tmp_path)
    panel.stop()
    panel.up()
    reading_again(panel, job_id, attempt=2).kill()
    assert_whole(panel, job_id, recording, begun=3)


def test_a_chunk_at_which_the_worker_ends_again_and_again_is_set_aside(own_panel: Panel, tmp_path: Path) -> None:
    panel = own_panel
    job_id = panel.submit(two_chunks(tmp_path).path, language="en")
    query = 'SELECT status FROM transcribe_chunk WHERE job_id = ? ORDER BY "index"'

    def first() -> str:
        return next((str(row["status"]) for row in panel.rows(query, job_id)), "")

    kills = 0
    while first() != "quarantined":
        assert kills < 5, "never killed twice before another window was kept"
        until(lambda: first() in ("running", "quarantined"), seconds=60, what="the first chunk is being read")
        if first() == "running":
            panel.child("worker").kill()
            kills += 1
            until(lambda: first() != "running", seconds=60, what="the job is taken back")
    assert kills >= 2
    job = panel.wait_for_job(job_id, "incomplete", seconds=180)
    assert "Chunk 1 was set aside, having lost its process twice: The process that ran the job" in job["reason"]
    assert [row["status"] for row in panel.rows(query, job_id)] == ["quarantined", "done"]
    twice = "SELECT summary FROM gate_incident WHERE kind = 'engine_lost_twice' AND job_ref = ?"
    (told,) = panel.rows(twice, f"job {job_id}")
    assert f"job {job_id} " in told["summary"]
    assert "in chunk 1: The process that ran the job, or the whole machine, ended here" in told["summary"]
    panel.login()
    panel.post_form(f"/jobs/{job_id}/chunks/0/again/", {}, page=panel.get(f"/jobs/{job_id}/"))
    panel.wait_for_job(job_id, "succeeded", seconds=120)
