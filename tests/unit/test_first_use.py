"""What everybody does first, with every part real: one job from upload to transcript, and one upload in a browser."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support.panel import Panel
from tests.support.speech_files import SAMPLE, sample
from tools.demo_model.scoring import word_error_rate


def test_the_transcript_is_what_was_said(panel: Panel) -> None:
    """Cluster, gate, lock and engine."""
    job_id = panel.submit(SAMPLE)
    panel.wait_for_job(job_id, "succeeded")
    assert word_error_rate(sample().text, panel.text(job_id)) <= 0.05


def test_it_reads_and_downloads_what_was_uploaded(page: Page, panel: Panel, tmp_path: Path) -> None:
    speech = sample()
    page.goto(panel.url + "/jobs/")
    page.get_by_label("Choose files").set_input_files(speech.path)
    page.get_by_label("Title").fill("From the browser")
    page.get_by_label("Language").select_option("en")
    page.get_by_role("button", name="Upload and queue").click()
    page.get_by_role("link", name="Open “From the browser”").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("From the browser")
    expect(page.locator("#job-live .badge")).to_have_text("Succeeded", timeout=120_000)
    lines = page.locator("#segments li span").all_inner_texts()
    assert word_error_rate(speech.text, " ".join(lines)) <= 0.10

    line = page.locator("#segments li").nth(3)
    line.click()
    start = float(line.get_attribute("data-start") or "nan")
    page.wait_for_function("document.getElementById('player').readyState >= 1")
    page.wait_for_function(f"document.getElementById('player').currentTime >= {start}")
    assert page.evaluate("document.getElementById('player').currentTime") < start + 5

    with page.expect_download() as downloading:
        page.get_by_role("link", name="srt").click()
    saved = tmp_path / "transcript.srt"
    downloading.value.save_as(saved)
    assert downloading.value.suggested_filename == "From the browser.srt"
    assert re.match(r"1\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\n\w+", saved.read_text())
    assert saved.read_text().count(" --> ") == len(lines)
