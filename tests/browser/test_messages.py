"""What the panel says of an act goes when the page has gone on; a page that stands still keeps it."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.panel import Panel
from tests.speech_files import sample


def test_a_word_of_an_act_does_not_stay_above_what_came_of_it(page: Page, panel: Panel) -> None:
    job = panel.submit(sample().path, title="Held", language="en")
    panel.change("UPDATE transcribe_job SET status = 'paused' WHERE id = ?", job)
    try:
        page.goto(f"{panel.url}/jobs/{job}/")
        page.get_by_role("button", name="Release").click()
        said = page.locator(".messagelist")
        expect(said).to_contain_text("is released and waits for its turn")
        expect(said).not_to_contain_text("is released", timeout=60_000)
    finally:
        panel.change("UPDATE transcribe_job SET status = 'cancelled' WHERE id = ?", job)
