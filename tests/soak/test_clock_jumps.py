"""Somebody, or a time server, sets the clock while a job is read: two days on, then to three hours before now."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path

from tests.support.jumping_clock import JumpingClock
from tests.support.panel import Panel, until
from tests.support.speech_files import SPEECH_DIR, joined
from tests.support.windows import decoded_windows, until_it_decodes
from tools.demo_model.scoring import word_error_rate

HOUR = 3600


def jump(panel: Panel, clock: JumpingClock, seconds: int, job_id: int, *, told: int) -> None:
    """Set it, and wait until the job has gone on and the sampler has told of it."""
    before = decoded_windows(panel, job_id)
    clock.set(seconds)
    until(lambda: decoded_windows(panel, job_id) > before, seconds=60, what="the job goes on")
    query = "SELECT count FROM gate_incident WHERE kind = 'stall' AND subject = 'clock set'"
    until(lambda: sum(row[0] for row in panel.rows(query)) >= told, seconds=60, what="the jump is told")


def test_a_job_is_read_to_its_end_and_the_next_one_too(make_panel: Callable[..., Panel], tmp_path: Path) -> None:
    clock = JumpingClock(tmp_path)
    panel = make_panel(**clock.environment, J5A_ENGINE_THREADS="1")
    recording = joined(tmp_path / "talk.wav", minutes=28)
    job_id = panel.submit(recording.path, language="en")
    until_it_decodes(panel, job_id)
    (engine,) = panel.engines()
    jump(panel, clock, 48 * HOUR, job_id, told=1)
    jump(panel, clock, -3 * HOUR, job_id, told=2)
    panel.wait_for_job(job_id, "succeeded", seconds=300)
    assert word_error_rate(recording.text, panel.text(job_id)) <= 0.05
    (attempt,) = panel.rows("SELECT outcome, engine_pid FROM transcribe_attempt WHERE job_id = ?", job_id)
    assert (attempt["outcome"], attempt["engine_pid"]) == ("succeeded", engine.pid)
    after = panel.submit(SPEECH_DIR / "clip_00.flac", language="en")
    panel.wait_for_job(after, "succeeded", seconds=60)
    kinds = {row["kind"] for row in panel.rows("SELECT kind FROM gate_incident WHERE host != 'mac-mini-2012'")}
    assert kinds == {"stall"}, "neither lock nor engine nor worker is blamed"
    panel.login()
    for page in (f"/jobs/{job_id}/", "/jobs/", "/", "/lock/", "/report/"):
        text = html.unescape(re.sub(r"<[^>]*>", " ", panel.get(page)))
        assert not re.search(r"(?<![\w-])[-−][0-9]+(\.[0-9]+)? (s|min|h|days?)\b", text), f"{page}: a negative time"
