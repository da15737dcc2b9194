"""A long queue is shown in pages; a button leads back to the page on which its job stands."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.support.markup import element, elements, has_id, inside
from tests.support.rows import in_status, queued
from transcribe.states import JobStatus
from transcribe.views.queue import ROWS_PER_PAGE

pytestmark = pytest.mark.django_db


def titles(answer: Any) -> list[str]:
    return [e.words for e in elements(answer, "a", class_="job-link")]


def test_every_waiting_and_every_held_job_is_reached(operator: Client) -> None:
    waiting = [queued(title=f"w{number}").title for number in range(ROWS_PER_PAGE + 2)]
    held = [in_status(JobStatus.PAUSED, title=f"h{number}").title for number in range(ROWS_PER_PAGE + 1)]
    first = operator.get("/jobs/queue/")
    assert titles(first) == waiting[:ROWS_PER_PAGE] + held[:ROWS_PER_PAGE]
    second = operator.get("/jobs/queue/" + element(first, id="page-after")["href"])
    assert titles(second) == waiting[ROWS_PER_PAGE:] + held[:ROWS_PER_PAGE]
    third = operator.get("/jobs/queue/" + element(second, id="held-after")["href"])
    assert titles(third) == waiting[ROWS_PER_PAGE:] + held[ROWS_PER_PAGE:]
    assert f"{ROWS_PER_PAGE + 1}." in inside(third, "queue-live", "li")[0].words


def test_the_poll_stays_on_its_page(operator: Client) -> None:
    for number in range(ROWS_PER_PAGE + 1):
        queued(title=f"w{number}")
    address = element(operator.get("/jobs/queue/?page=2"), id="queue-live")["hx-get"]
    queued(title="another")
    assert titles(operator.get(address)) == [f"w{ROWS_PER_PAGE}", "another"]


def test_a_short_queue_has_no_pages(operator: Client) -> None:
    queued()
    assert not has_id(operator.get("/jobs/queue/?page=7"), "page-after")


def test_a_button_leads_back_to_the_page_of_its_job(operator: Client) -> None:
    jobs = [queued() for _ in range(ROWS_PER_PAGE + 2)]
    last = jobs[-1].pk
    answer = operator.post(f"/jobs/{last}/place/", {"place": "up", "from": "queue"})
    assert answer["Location"] == f"/jobs/queue/?page=2#entry-{last}"
    answer = operator.post(f"/jobs/{last}/place/", {"place": "first", "from": "queue"})
    assert answer["Location"] == f"/jobs/queue/#entry-{last}"
