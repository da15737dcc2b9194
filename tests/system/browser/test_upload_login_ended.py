"""The login ends while a file is on its way: the page stays until it has arrived, and its answer is not lost."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support.audio_files import beacon, write_wav
from tests.support.panel import Panel

SLOW_BYTES_PER_SECOND = 150_000
FILE_SECONDS = 40  # 1.3 MB: about 9 s on its way, four polls


def test_the_page_waits_and_shows_the_answer_after_the_next_login(page: Page, panel: Panel, tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "late answer.wav", beacon(FILE_SECONDS, 16_000))
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.type), dialog.accept()))
    page.goto(f"{panel.url}/jobs/")
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": SLOW_BYTES_PER_SECOND}
    network.send("Network.emulateNetworkConditions", slow)

    page.locator("#files").set_input_files(recording)
    page.get_by_role("button", name="Upload and queue").click()
    expect(page.locator("#uploads progress")).to_be_visible()
    panel.change("DELETE FROM django_session")
    expect(page.get_by_role("alert")).to_have_text(
        "Your login has ended. The upload goes on; when it is finished, you are asked to log in again."
    )
    assert page.locator("#uploads progress").is_visible()

    page.wait_for_url("**/login/**")
    assert dialogs == []
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(panel.password)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#uploads .upload.good")).to_contain_text("Queued. Open “late answer”")
    page.reload()
    expect(page.locator("#uploads")).to_be_hidden()  # shown once
    assert dialogs == []
