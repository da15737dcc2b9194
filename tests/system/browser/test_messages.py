"""What the panel says of an act goes when the page has gone on; a page that stands still keeps it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.panel import Panel
from tests.support.speech_files import sample


@pytest.mark.parametrize("ends_at_once", [False, True], ids=["goes-on", "ends-before-the-word-is-old"])
def test_a_word_of_an_act_does_not_stay_above_what_came_of_it(page: Page, panel: Panel, ends_at_once: bool) -> None:
    job = panel.submit(sample().path, title="Held", language="en")
    panel.change("UPDATE transcribe_job SET status = 'paused' WHERE id = ?", job)

    def cancel() -> None:
        panel.change("UPDATE transcribe_job SET status = 'cancelled' WHERE id = ?", job)

    try:
        page.goto(f"{panel.url}/jobs/{job}/")
        page.get_by_role("button", name="Release").click()
        said = page.locator(".messagelist")
        expect(said).to_contain_text("is released and waits for its turn")
        if ends_at_once:  # the page of a job that has ended asks no more
            cancel()
            expect(page.locator("#job-live")).not_to_have_attribute("hx-get", re.compile("."), timeout=60_000)
        expect(said).not_to_contain_text("is released", timeout=60_000)
    finally:
        cancel()
