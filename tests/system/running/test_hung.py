"""An engine that stands still (SIGSTOP) is ended as hung, and its job goes on in another."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

from tests.support.panel import Panel, until
from tests.support.speech_files import joined
from tools.demo_model.scoring import word_error_rate

# Longer than an engine needs for its imports, or for a window, on a busy machine: it says nothing meanwhile.
HUNG_SECONDS = 20


def test_it_is_ended_and_the_job_goes_on(make_panel: Callable[..., Panel], tmp_path: Path) -> None:
    panel = make_panel(J5A_ENGINE_HUNG_SECONDS=str(HUNG_SECONDS), J5A_ENGINE_THREADS="1")
    recording = joined(tmp_path / "two-minutes.wav", minutes=2)
    job_id = panel.submit(recording.path, language="en")
    until(lambda: panel.job(job_id)["activity"] == "Reading speech", seconds=60, what="it reads")
    (engine,) = panel.engines()
    engine.send_signal(signal.SIGSTOP)
    until(lambda: not engine.is_running(), seconds=HUNG_SECONDS + 15, what="the hung engine is gone")
    panel.wait_for_job(job_id, "succeeded", seconds=120)
    assert word_error_rate(recording.text, panel.text(job_id)) <= 0.05
    attempts = panel.rows("SELECT outcome, reason FROM transcribe_attempt WHERE job_id = ? ORDER BY number", job_id)
    assert [attempt["outcome"] for attempt in attempts] == ["engine_lost", "succeeded"]
    assert f"said nothing for {HUNG_SECONDS} s" in attempts[0]["reason"]
    (incident,) = panel.rows("SELECT * FROM gate_incident WHERE kind = 'engine_hung'")
    assert (incident["job_ref"], incident["status"]) == (f"job {job_id}", "open")


def test_a_limit_learned_from_its_own_windows_finds_it_sooner(make_panel: Callable[..., Panel], tmp_path: Path) -> None:
    panel = make_panel(
        J5A_ENGINE_SILENT_SECONDS="8", J5A_ENGINE_THREADS="1"
    )  # and half an hour for an engine that read no window yet
    job_id = panel.submit(joined(tmp_path / "two-minutes.wav", minutes=2).path, language="en")
    until(lambda: panel.job(job_id)["position_seconds"] > 0, seconds=60, what="it has read a window")
    (engine,) = panel.engines()
    engine.send_signal(signal.SIGSTOP)
    until(lambda: not engine.is_running(), seconds=200, what="the hung engine is gone long before half an hour")
    panel.wait_for_job(job_id, "succeeded", seconds=180)
    first = panel.rows("SELECT * FROM transcribe_attempt WHERE job_id = ? ORDER BY number", job_id)[0]
    assert first["outcome"] == "engine_lost"
    assert "the slowest window so far took" in first["reason"]
