"""A gate that cannot pass: the job waits with its reason, and nothing heavy ever starts."""

from __future__ import annotations

from collections.abc import Callable

import psutil

from tests.support.panel import Panel, until
from tests.support.speech_files import SPEECH_DIR


def test_it_says_why_and_starts_when_the_limit_allows(make_panel: Callable[..., Panel]) -> None:
    total_gib = psutil.virtual_memory().total / 1024**3
    panel = make_panel(J5A_MARGIN_GIB=f"{total_gib:.1f}")
    job_id = panel.submit(SPEECH_DIR / "clip_00.flac")
    job = panel.wait_for_job(job_id, "blocked", seconds=20)
    assert "memory" in job["reason"].lower()
    assert "GiB" in job["reason"]
    until(lambda: panel.job(job_id)["attempt"] >= 3, seconds=20, what="it is tried again by itself")
    assert panel.engines() == []
    panel.stop()
    panel.env["J5A_MARGIN_GIB"] = "1"
    panel.up()
    panel.wait_for_job(job_id, "succeeded")
