"""A real Chromium on a real panel. Every page must be silent in the console and stay on this host."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.support.panel import Panel

CHROMIUM = os.environ.get("J5A_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FORM_REFUSED = "status of 422"  # the panel's no to a file or a form: the browser writes it down, the page shows it
expect.set_options(timeout=30_000)  # its own is 5 s, whatever a page's is
REQUIRED = os.environ.get("J5A_REQUIRE_BROWSER") == "1"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        if REQUIRED:
            pytest.fail("J5A_REQUIRE_BROWSER=1, but there is no chromium here")
        pytest.skip("no Chromium here: install the package chromium to run the browser tests")
    # The driver's event loop stays in this thread, and Django would refuse the database to the tests that follow.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        # --no-sandbox: Chromium's own does not start for root
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium: Browser, panel: Panel) -> Iterator[Callable[..., Page]]:
    """Pages that fail the test for a console error not `expected`, a script error or a request to another host."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def make(*, logged_in: bool = True, expected: tuple[str, ...] = (), **options: object) -> Page:
        context = chromium.new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda message: _check_console(message, complaints, (FORM_REFUSED, *expected)))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: _check_host(request.url, complaints))
        if logged_in:
            log_in(page, panel)
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()


def log_in(page: Page, panel: Panel) -> None:
    page.goto(panel.url + "/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(panel.password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(panel.url + "/")


def _check_console(message: ConsoleMessage, complaints: list[str], expected: tuple[str, ...]) -> None:
    if message.type == "error" and not any(text in message.text for text in expected):
        complaints.append(message.text)


def _check_host(url: str, complaints: list[str]) -> None:
    if urlsplit(url).scheme in {"http", "https", "ws", "wss"} and urlsplit(url).hostname != "127.0.0.1":
        complaints.append(f"request to another host: {url}")
