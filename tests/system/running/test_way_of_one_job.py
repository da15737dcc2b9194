"""The way of one job with every part real: cluster, gate, lock, engine, speech."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import psutil

from tests.support.panel import Panel, until
from tests.support.speech_files import DEMO_DIR, SPEECH_DIR, joined

ENGINE_NICE = 10  # the protocol's
OOM_SCORE_ADJ = 500
CLIPS = [SPEECH_DIR / f"clip_{number:02d}.flac" for number in range(3)]


def test_it_leaves_a_trace_of_every_step(panel: Panel) -> None:
    job_id = panel.submit(CLIPS[0])
    job = panel.wait_for_job(job_id, "succeeded")
    events = panel.rows("SELECT old, new FROM transcribe_jobevent WHERE job_id = ? ORDER BY id", job_id)
    assert [tuple(event) for event in events] == [("", "queued"), ("queued", "running"), ("running", "succeeded")]
    verdict = panel.rows("SELECT * FROM gate_verdictrecord WHERE job_ref = ? AND purpose = 'start'", str(job_id))[0]
    assert verdict["admitted"] == 1
    assert len(json.loads(verdict["data"])["results"]) == 5
    (attempt,) = panel.rows("SELECT * FROM transcribe_attempt WHERE job_id = ?", job_id)
    assert (attempt["outcome"], attempt["number"]) == ("succeeded", 1)
    assert attempt["peak_bytes"] > 100 * 1024**2
    assert (panel.data_dir / "logs" / attempt["log_name"]).is_file()
    assert job["position_seconds"] == job["duration_seconds"]
    assert list((panel.data_dir / "work").iterdir()) == []


def test_one_engine_serves_jobs_of_one_model_and_then_goes(panel: Panel, tmp_path: Path) -> None:
    long = joined(tmp_path / "long.wav", minutes=5).path  # so that the others have come before it is read
    ids = [panel.submit(clip) for clip in (long, *CLIPS)]
    for job_id in ids:
        panel.wait_for_job(job_id, "succeeded")
    query = f"SELECT engine_pid, log_name FROM transcribe_attempt WHERE job_id IN ({','.join('?' * len(ids))})"
    attempts = panel.rows(query, *ids)
    assert len({attempt["engine_pid"] for attempt in attempts}) == 1
    for job_id, attempt in zip(ids, attempts, strict=True):
        log = (panel.data_dir / "logs" / attempt["log_name"]).read_text()
        assert f"-job-{job_id}-attempt-1.log" in attempt["log_name"]
        assert log.count("Reading 0.0 s to") == 1, log
    until(lambda: not panel.engines(), seconds=10, what="the engine ends with the queue")
    until(lambda: panel.lock_path.read_text().strip() == "", seconds=5, what="the lock is free")


def test_another_model_gets_another_engine(panel: Panel, tmp_path: Path) -> None:
    other = tmp_path / "copy.pt"
    _with_another_hash(DEMO_DIR / "demo.pt", other)
    first = panel.submit(CLIPS[0])
    second = panel.submit(CLIPS[0], model=f"file:{other}")
    for job_id in (first, second):
        panel.wait_for_job(job_id, "succeeded")
    rows = panel.rows("SELECT engine_pid FROM transcribe_attempt WHERE job_id IN (?, ?)", first, second)
    assert len({row["engine_pid"] for row in rows}) == 2


def test_a_model_that_cannot_be_loaded_fails_each_job_that_wants_it(panel: Panel, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pt"
    _with_another_hash(DEMO_DIR / "demo.pt", broken, without="decoder.ln.weight")
    ids = [panel.submit(CLIPS[0], model=f"file:{broken}"), panel.submit(CLIPS[1], model=f"file:{broken}")]
    for job_id in ids:
        reason = panel.wait_for_job(job_id, "failed")["reason"]
        assert "broken.pt is not a Whisper checkpoint that openai-whisper can load" in reason
    panel.wait_for_job(panel.submit(CLIPS[0]), "succeeded")


def test_an_option_that_the_model_cannot_take_fails_the_job_with_whispers_words(panel: Panel) -> None:
    job_id = panel.submit(CLIPS[0], suppress_tokens="51865")
    job = panel.wait_for_job(job_id, "failed")
    assert "Whisper failed (IndexError" in job["reason"]
    assert job["attempt"] == 1


def _with_another_hash(source: Path, target: Path, *, without: str = "") -> None:
    """The same weights (but for the tensor `without`) in another file; torch stays out of this process."""
    program = (
        "import sys, torch; checkpoint = torch.load(sys.argv[1], weights_only=True); "
        "checkpoint['model_state_dict'].pop(sys.argv[3], None); "
        "torch.save({**checkpoint, 'note': 'another file'}, sys.argv[2])"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(source), str(target), without], check=True, stdin=subprocess.DEVNULL
    )


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def test_a_cancelled_job_ends_with_its_process_of_low_priority(panel: Panel, tmp_path: Path) -> None:
    recording = joined(tmp_path / "long.wav", minutes=12)
    job_id = panel.submit(recording.path)
    (engine,) = until(panel.engines, seconds=20, what="the engine runs")
    until(lambda: panel.job(job_id)["activity"] == "Reading speech", seconds=30, what="it reads")
    record = panel.lock_path.with_name(panel.lock_path.name + ".json")
    written = record.stat().st_mtime_ns
    until(lambda: record.stat().st_mtime_ns > written, seconds=20, what="a sign of life in the lock's record")
    assert engine.nice() == ENGINE_NICE
    assert engine.ionice().ioclass == psutil.IOPRIO_CLASS_IDLE
    assert int(Path(f"/proc/{engine.pid}/oom_score_adj").read_text()) >= OOM_SCORE_ADJ
    panel.login()
    page = panel.get(f"/jobs/{job_id}/")
    panel.post_form(f"/jobs/{job_id}/cancel/", {}, page=page)
    job = panel.wait_for_job(job_id, "cancelled", seconds=15)
    assert not engine.is_running()
    assert job["reason"] == "cancelled by admin; its process has ended"
    panel.post_form(f"/jobs/{job_id}/retry/", {}, page=page)
    panel.wait_for_job(job_id, "running", seconds=15)
    panel.post_form(f"/jobs/{job_id}/cancel/", {}, page=page)
    panel.wait_for_job(job_id, "cancelled", seconds=15)


def test_the_text_appears_while_it_runs(panel: Panel, tmp_path: Path) -> None:
    recording = joined(tmp_path / "long.wav", minutes=3)
    job_id = panel.submit(recording.path)
    # The text of a window is told before the position that it ends at.
    found = "live_text <> '' AND position_seconds > 0"
    query = f"SELECT * FROM transcribe_job WHERE id = ? AND {found}"
    (job,) = until(lambda: panel.rows(query, job_id), seconds=60, what="live text and a position")
    assert job["live_text"].strip()
    assert job["position_seconds"] < recording.duration_seconds
    panel.wait_for_job(job_id, "succeeded")
    assert panel.job(job_id)["live_text"] == ""


def test_it_waits_for_the_lock_and_starts_by_itself(panel: Panel) -> None:
    descriptor = os.open(panel.lock_path, os.O_RDWR)
    try:
        until(lambda: _locked(descriptor), seconds=15, what="the panel's last job gives the lock back")
        job_id = panel.submit(CLIPS[0])
        job = panel.wait_for_job(job_id, "blocked", seconds=20)
        assert "lock" in job["reason"].lower()
        assert job["next_try_at"] is not None
        until(lambda: panel.job(job_id)["attempt"] >= 3, seconds=20, what="it is tried again by itself")
        assert panel.engines() == []
    finally:
        os.close(descriptor)
    panel.wait_for_job(job_id, "succeeded")
