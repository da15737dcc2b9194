"""The engine's log in a browser: nothing is asked while it is closed, and new lines appear while it is open."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.support.panel import Panel
from tests.support.speech_files import sample


def test_new_lines_appear_while_it_is_open_and_nothing_is_asked_while_it_is_closed(page: Page, panel: Panel) -> None:
    job = panel.submit(sample().path, title="Followed", language="en")
    # As if it ran for long, without an engine, which a machine with much to do may keep waiting for minutes.
    panel.change("UPDATE transcribe_job SET status = 'paused' WHERE id = ?", job)
    name = f"engine-20260101-120000-job-{job}-attempt-77.log"
    panel.change(
        "INSERT INTO transcribe_attempt (job_id, number, host, started_at, outcome, reason, log_name, output_tail,"
        " held_seconds, decoded_windows, replayed_windows)"
        " VALUES (?, 77, 'here', '2026-01-01', '', '', ?, '', '{}', 0, 0)",
        job,
        name,
    )
    log = panel.data_dir / "logs" / name

    def write(line: str) -> None:
        with log.open("a") as file:
            file.write(line + "\n")

    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/log/" in request.url else None)
    try:
        write("before <b>it</b> was opened")
        page.goto(f"{panel.url}/jobs/{job}/")
        expect(page.locator("#log-live")).to_be_visible()
        assert asked == []

        page.locator("#log-live summary").click()
        expect(page.locator("#log-lines")).to_contain_text("before <b>it</b> was opened")
        write("after it was opened")
        expect(page.locator("#log-lines")).to_contain_text("after it was opened", timeout=60_000)
        assert page.locator("#log-lines").inner_text().count("before <b>it</b> was opened") == 1

        page.locator("#log-live summary").click()
        expect(page.locator("#log-lines")).to_be_hidden()
        page.wait_for_timeout(500)  # what was on its way arrives
        before = len(asked)
        page.wait_for_timeout(5000)  # two polls would be due
        assert len(asked) == before

        panel.change("UPDATE transcribe_job SET status = 'cancelled' WHERE id = ?", job)
        page.locator("#log-live summary").click()
        expect(page.locator("#log-lines")).to_contain_text("This is its end.", timeout=60_000)
    finally:
        panel.change("UPDATE transcribe_job SET status = 'cancelled' WHERE id = ?", job)
