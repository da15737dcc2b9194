"""Uploads in a browser: each file has its answer, and mistakes are told beside their field."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support.panel import Panel
from tests.support.speech_files import sample


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


def test_a_dropped_file_waits_for_the_button_as_a_chosen_one_does(page: Page, panel: Panel) -> None:
    page.goto(panel.url + "/jobs/")
    page.get_by_label("Title").fill("Episode 1")
    page.evaluate(
        """() => {
          const transfer = new DataTransfer();
          transfer.items.add(new File(["not sound"], "dropped.txt"));
          document.getElementById("drop").dispatchEvent(new DragEvent("drop", {dataTransfer: transfer, bubbles: true}));
        }"""
    )
    expect(page.locator("#chosen")).to_have_text("Chosen: dropped.txt")
    expect(page.locator("#uploads > li")).to_have_count(0)
    page.get_by_role("button", name="Upload and queue").click()
    expect(page.locator("#uploads > li")).to_contain_text("dropped.txt")
    expect(page.locator("#uploads > li")).to_have_class(re.compile("bad"))
    expect(page.get_by_label("Title")).to_have_value("")


def test_a_wrong_option_is_told_beside_its_help_until_the_next_file(page: Page, panel: Panel) -> None:
    page.goto(panel.url + "/jobs/")
    page.get_by_text("More options").click()
    field = page.get_by_label("Beam size")
    help_id = field.get_attribute("aria-describedby")
    field.evaluate("(input) => { input.type = 'text'; input.value = 'many'; }")
    page.get_by_label("Choose files").set_input_files(sample().path)
    page.get_by_role("button", name="Upload and queue").click()
    expect(page.locator(".errorlist")).to_have_count(1)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_attribute("aria-describedby", f"{help_id} {field.get_attribute('id')}_error")
    field.fill("5")
    page.get_by_label("Choose files").set_input_files(sample().path)
    page.get_by_role("button", name="Upload and queue").click()
    expect(page.locator(".errorlist")).to_have_count(0)
    expect(field).to_have_attribute("aria-describedby", str(help_id))


def test_a_mistake_of_the_panel_does_not_take_the_form_away(new_page: Callable[..., Page], panel: Panel) -> None:
    """A live part that answers 500 is told in the page, and asked for again."""
    page = new_page(expected=("status of 500", "Response Status Error Code 500"))
    page.goto(panel.url + "/jobs/")
    page.get_by_label("Title").fill("Episode 1")
    page.route("**/jobs/live/**", lambda route: route.fulfill(status=500, body="<!DOCTYPE html><p>mistake</p>"))
    expect(page.get_by_text("The panel does not answer.")).to_be_visible(timeout=15_000)
    expect(page.get_by_label("Title")).to_have_value("Episode 1")
    page.unroute("**/jobs/live/**")
    expect(page.get_by_text("The panel does not answer.")).to_have_count(0, timeout=15_000)
    expect(page.get_by_label("Title")).to_have_value("Episode 1")
