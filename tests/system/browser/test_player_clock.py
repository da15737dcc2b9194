"""A click on a line plays its words, also where the file's own clock does not start at 0."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.audio_files import beacon, encode
from tests.support.panel import Panel

SECONDS = 12
LATE_SECONDS = 7
# The second whose tone is heard (300 Hz, and 20 more for each), by the loudest tone of the spectrum.
LISTEN = """async () => {
  const player = document.getElementById("player");
  if (!window.analyser) {
    const context = new AudioContext();
    await context.resume();
    window.analyser = context.createAnalyser();
    window.analyser.fftSize = 8192;
    window.analyser.smoothingTimeConstant = 0;
    const source = context.createMediaElementSource(player);
    source.connect(window.analyser);
    window.analyser.connect(context.destination);
  }
  const levels = new Float32Array(window.analyser.frequencyBinCount);
  const until = performance.now() + 15000;
  const from = performance.now();
  while (performance.now() < until) {
    await new Promise((done) => setTimeout(done, 20));
    window.analyser.getFloatFrequencyData(levels);
    let loudest = 0;
    levels.forEach((level, index) => { if (level > levels[loudest]) loudest = index; });
    const hertz = loudest * window.analyser.context.sampleRate / window.analyser.fftSize;
    if (levels[loudest] > -50 && performance.now() - from > 300) return Math.round((hertz - 300) / 20);
  }
  return -1;
}"""


def read_job(panel: Panel, recording: Path, late_lines: int) -> int:
    """A job that is done, with a line for each second of the sound."""
    job = panel.submit(recording, language="en")
    panel.wait_for_job(job, "succeeded")
    (chunk,) = panel.rows("SELECT id FROM transcribe_chunk WHERE job_id = ?", job)
    panel.change("DELETE FROM transcribe_segment WHERE job_id = ?", job)
    for second in range(SECONDS):
        panel.change(
            'INSERT INTO transcribe_segment (job_id, chunk_id, "index", start_seconds, end_seconds, text)'
            " VALUES (?, ?, ?, ?, ?, ?)",
            *(job, chunk["id"], second, late_lines + second, late_lines + second + 1, f"Second {second}"),
        )
    return job


@pytest.mark.parametrize(
    ("name", "codec", "video"),
    [
        ("late.webm", "libopus", None),
        ("late.mka", "libopus", None),
        ("late.opus", "libopus", None),
        ("late.m4a", "aac", None),
        ("late.mp4", "aac", "mpeg4"),  # its pictures begin at 0, so the lines are late, not the clock
    ],
)
def test_a_line_is_heard_and_marked(
    name: str, codec: str, video: str | None, page: Page, panel: Panel, tmp_path: Path
) -> None:
    sound = beacon(SECONDS, 48000)
    recording = encode(tmp_path / name, sound, 48000, codec, video=video, sound_after_seconds=LATE_SECONDS)
    job = read_job(panel, recording, LATE_SECONDS if video else 0)
    page.goto(f"{panel.url}/jobs/{job}/")
    page.wait_for_function("document.getElementById('player').readyState >= 2")
    for second in (2, 10, 5):
        line = page.locator(".segments li").nth(second)
        line.locator("span").click()
        assert page.evaluate(LISTEN) == second
        expect(page.locator(".segments li[aria-current]")).to_have_text(line.inner_text(), use_inner_text=True)
        page.evaluate("document.getElementById('player').pause()")
