"""Pages with many jobs: their queries do not grow, and the queue is shown page by page."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.support.markup import elements, inside, words
from tests.support.rows import in_status, queued
from transcribe.states import JobStatus

pytestmark = pytest.mark.django_db

MOST_QUERIES = 20


def fill(count: int) -> None:
    for _ in range(count):
        queued()
        in_status(JobStatus.PAUSED)


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


@pytest.mark.parametrize("address", ["/jobs/queue/", "/jobs/queue/live/", "/report/"])
def test_it_asks_no_more_with_more_jobs(administrator: Client, address: str) -> None:
    administrator.get(address)
    fill(3)
    few = queries(administrator, address)
    fill(57)
    assert queries(administrator, address) == few <= MOST_QUERIES


def test_it_shows_the_queue_page_by_page(operator: Client) -> None:
    for number in range(1, 31):
        queued(title=f"talk {number}")
    first, second = operator.get("/jobs/queue/"), operator.get("/jobs/queue/?page=2")
    assert [e.words for e in elements(first, "a", class_="job-link")][-1] == "talk 25"
    assert next(e.words for e in elements(second, "a", class_="job-link")) == "talk 26"
    assert "Page 2 of 2" in words(second, "queue-live")
    assert inside(second, "queue-live", "a")


def test_it_counts_on_from_the_page_before(operator: Client) -> None:
    for number in range(1, 31):
        queued(title=f"talk {number}")
    assert "26. talk 26" in words(operator.get("/jobs/queue/live/?page=2"), "queue-live")


def test_the_home_page_counts_what_it_does_not_list(operator: Client) -> None:
    for _ in range(9):
        queued()
    assert "3 more" in words(operator.get("/"), "dashboard")


def test_raw_samples_are_listed_without_their_dates(administrator: Client) -> None:
    with CaptureQueriesContext(connection) as asked:
        administrator.get("/admin/gate/sensorsample/")
    assert not [q for q in asked.captured_queries if "django_datetime" in q["sql"] or "MIN(" in q["sql"]]
