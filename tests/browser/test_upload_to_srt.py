"""The whole way in a browser: upload, wait, read, hear, download."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.panel import Panel
from tests.speech_files import sample
from tools.demo_model.scoring import word_error_rate


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


def test_each_file_has_its_own_answer(page: Page, panel: Panel, tmp_path: Path) -> None:
    bad = tmp_path / "notes.mp3"
    bad.write_text("this is not sound\n" * 100)
    empty = tmp_path / "nothing.wav"
    empty.touch()
    page.goto(panel.url + "/jobs/")
    page.get_by_label("Choose files").set_input_files([bad, empty, sample().path])
    page.get_by_role("button", name="Upload and queue").click()
    uploads = page.locator("#uploads > li")
    expect(uploads).to_have_count(3)
    expect(uploads.nth(0)).to_have_class(re.compile("bad"))
    expect(uploads.nth(0)).to_contain_text("notes.mp3")
    expect(uploads.nth(1)).to_contain_text("nothing.wav is empty")
    expect(uploads.nth(2)).to_have_class(re.compile("good"))
    job_url = uploads.nth(2).get_by_role("link").first.get_attribute("href")
    assert job_url is not None
    panel.wait_for_job(int(job_url.strip("/").split("/")[-1]), "succeeded")


def test_a_dropped_file_is_uploaded(page: Page, panel: Panel) -> None:
    page.goto(panel.url + "/jobs/")
    page.evaluate(
        """() => {
          const transfer = new DataTransfer();
          transfer.items.add(new File(["not sound"], "dropped.txt"));
          document.getElementById("drop").dispatchEvent(new DragEvent("drop", {dataTransfer: transfer, bubbles: true}));
        }"""
    )
    expect(page.locator("#uploads > li")).to_contain_text("dropped.txt")
    expect(page.locator("#uploads > li")).to_have_class(re.compile("bad"))
