"""A job's page in a browser: new text is put behind what stands there, and nothing is sent while nothing changes."""

from __future__ import annotations

from playwright.sync_api import Page, Response, expect

from tests.support.panel import Panel
from tests.support.speech_files import sample


def add_segment(panel: Panel, job: int, index: int) -> None:
    """As a finished chunk leaves it."""
    panel.change(
        'INSERT INTO transcribe_chunk (job_id, "index", start_sample, end_sample, status, attempts, engine_losses,'
        " error, language, provenance, paused_seconds, taken_over_seconds)"
        " VALUES (?, ?, 0, 1, 'done', 1, 0, '', '', '', 0, 0)",
        job,
        index,
    )
    panel.change(
        'INSERT INTO transcribe_segment (job_id, chunk_id, "index", start_seconds, end_seconds, text)'
        ' SELECT job_id, id, 0, ?, ?, ? FROM transcribe_chunk WHERE job_id = ? AND "index" = ?',
        index,
        index + 1,
        f"text {index}",
        job,
        index,
    )


def test_text_grows_in_place(page: Page, panel: Panel) -> None:
    job = panel.submit(sample().path, title="Growing", language="en")
    panel.change("UPDATE transcribe_job SET status = 'paused' WHERE id = ?", job)
    panel.change("DELETE FROM transcribe_chunk WHERE job_id = ?", job)
    # A job that has waited for hours shows minutes: it is the same from one second to the next.
    panel.change("UPDATE transcribe_jobevent SET at = '2026-01-01' WHERE job_id = ?", job)
    statuses: list[int] = []
    try:
        page.goto(f"{panel.url}/jobs/{job}/")
        add_segment(panel, job, 1)
        expect(page.locator("#segments li")).to_have_count(1)
        page.locator("#segments li").first.evaluate("line => line.dataset.seen = 'yes'")
        add_segment(panel, job, 2)
        expect(page.locator("#segments li")).to_have_count(2)
        assert page.locator("#segments li").first.get_attribute("data-seen") == "yes"
        expect(page.locator("#segments > li").nth(1)).to_contain_text("text 2")

        def note(response: Response) -> None:
            if f"/jobs/{job}/live/" in response.url:
                statuses.append(response.status)

        page.on("response", note)
        page.wait_for_event("response", lambda response: "/live/" in response.url and response.status == 204)
        page.wait_for_event("response", lambda response: "/live/" in response.url and response.status == 204)
        expect(page.locator("#job-live")).to_be_visible()
    finally:
        panel.change("UPDATE transcribe_job SET status = 'cancelled' WHERE id = ?", job)
    expect(page.locator("#job-live .badge").first).to_have_text("Cancelled")
    assert 204 in statuses
