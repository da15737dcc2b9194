"""Every page at phone and desk width, light and dark: nothing sticks out, and axe finds nothing."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.support.panel import Panel
from tests.support.speech_files import sample

PAGES = (
    "/",
    "/jobs/",
    "/jobs/{job}/",
    "/jobs/{job}/delete/",
    "/jobs/queue/",
    "/hours/",
    "/report/",
    "/gate/",
    "/lock/",
    "/lock/clear/",
    "/lock/stop/",
    "/sensors/",
    "/incidents/",
    "/incidents/1/",
    "/incidents/{incident}/",
    "/incidents/new/",
    "/doctor/",
    "/admin/",
    "/admin/transcribe/registeredmodel/add/",
)
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}


@pytest.fixture(scope="module")
def job_id(panel: Panel) -> int:
    number = panel.submit(sample().path, title="A title which is long enough to be broken on a phone", language="en")
    panel.wait_for_job(number, "succeeded")
    return number


@pytest.fixture(scope="module")
def incident_id(panel: Panel) -> int:
    """Told in one word that has no end, now: it is on the morning report, too."""
    panel.change(
        "INSERT INTO gate_incident (host, kind, subject, status, summary, first_at, last_at, count, job_ref, measures,"
        " causes, recovery, opened_by, acknowledged_by, resolved_by)"
        " VALUES (?, 'reported', ?, 'open', ?, ?, ?, 1, '', '[]', '[]', '', 'anna', '', '')",
        *(socket.gethostname(), "W" * 200, "Q" * 4000, *2 * (datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),)),
    )
    return int(panel.rows("SELECT max(id) FROM gate_incident")[0][0])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_pages_fit_and_are_accessible(
    new_page: Callable[..., Page], panel: Panel, job_id: int, incident_id: int, width: int, scheme: str
) -> None:
    # bypass_csp: axe is put into the page by the test; that the page itself obeys is seen in every other test
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    for address in PAGES:
        page.goto(panel.url + address.format(job=job_id, incident=incident_id))
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        found = Axe().run(page, options=RULES)
        assert found.violations_count == 0, f"{address}: {found.generate_report()}"


def test_the_login_page_is_accessible(new_page: Callable[..., Page], panel: Panel) -> None:
    page = new_page(logged_in=False, bypass_csp=True)
    page.goto(panel.url + "/")
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()


def test_the_form_works_without_scripts(new_page: Callable[..., Page], panel: Panel) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(panel.url + "/jobs/")
    page.locator("input[type=file]").set_input_files(sample().path)
    page.get_by_label("Title").fill("Without scripts")
    page.get_by_role("button", name="Upload and queue").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Without scripts"
    panel.wait_for_job(int(page.url.strip("/").split("/")[-1]), "succeeded")


def test_the_dashboard_goes_on_by_itself(page: Page, panel: Panel) -> None:
    with page.expect_response(lambda answer: "/live/" in answer.url and answer.ok):
        page.goto(panel.url + "/")
    for check in ("Memory", "Temperature", "Whisper processes", "Activity", "Lock"):
        assert page.get_by_role("heading", name=check, exact=False).first.is_visible()
