"""The list of jobs: newest first, by status, page by page, and the live part shows the same."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.support.markup import Element, element, elements, inside, words
from tests.support.rows import in_status, queued
from transcribe.states import JobStatus

pytestmark = pytest.mark.django_db


def titles(answer: object) -> list[str]:
    return [found.words for found in elements(answer, "a", class_="job-link")]


def filters(answer: object) -> dict[str, str]:
    return {
        found.words: found["href"] for found in inside(answer, "job-list", "a") if found["id"].startswith("filter-")
    }


def current(answer: object) -> Element:
    return element(answer, "a", aria_current="true")


def test_an_empty_list_says_how_to_begin(operator: Client) -> None:
    answer = operator.get("/jobs/")
    assert "No jobs yet. Upload a recording to begin." in words(answer, "job-list")
    assert filters(answer) == {"All 0": "?"}
    assert elements(answer, "nav", class_="pages") == []


def test_the_newest_comes_first(operator: Client) -> None:
    for title in ("first", "second", "third"):
        queued(title=title)
    assert titles(operator.get("/jobs/")) == ["third", "second", "first"]


@pytest.mark.parametrize("status", list(JobStatus))
def test_a_filter_shows_only_its_status(operator: Client, status: JobStatus) -> None:
    for each in JobStatus:
        in_status(each, title=f"a {each} job")
    for address in ("/jobs/", "/jobs/live/"):
        answer = operator.get(address, {"status": status.value})
        assert titles(answer) == [f"a {status} job"]
        assert current(answer)["href"] == f"?status={status}"


def test_each_status_with_jobs_has_a_filter_with_their_number(operator: Client) -> None:
    in_status(JobStatus.FAILED)
    in_status(JobStatus.FAILED)
    in_status(JobStatus.BLOCKED)
    answer = operator.get("/jobs/")
    assert filters(answer) == {"All 3": "?", "Blocked 1": "?status=blocked", "Failed 2": "?status=failed"}
    assert current(answer).words == "All 3"


def test_a_filter_without_jobs_stays_while_it_is_chosen(operator: Client) -> None:
    queued()
    answer = operator.get("/jobs/?status=failed")
    assert "No job has this status now." in words(answer, "job-list")
    assert current(answer).words == "Failed 0"


@pytest.mark.parametrize("text", ["nonsense", "QUEUED", "<script>", "\x00"])
def test_an_unknown_filter_shows_everything(operator: Client, text: str) -> None:
    queued(title="here")
    answer = operator.get("/jobs/", {"status": text})
    assert titles(answer) == ["here"]
    assert current(answer).words == "All 1"


def test_25_fit_on_a_page_and_links_lead_on(operator: Client) -> None:
    for number in range(25):
        queued(title=f"job {number}")
    assert elements(operator.get("/jobs/"), "nav", class_="pages") == []
    queued(title="job 25")
    first = operator.get("/jobs/")
    assert len(titles(first)) == 25
    assert element(first, "a", id="page-older")["href"] == "?status=&page=2"
    second = operator.get("/jobs/?status=&page=2")
    assert titles(second) == ["job 0"]
    assert element(second, "a", id="page-newer")["href"] == "?status=&page=1"
    assert elements(second, "a", id="page-older") == []


@pytest.mark.parametrize(("page", "shown"), [("0", 2), ("-1", 2), ("99", 2), ("x", 1), ("", 1), ("9" * 30, 2)])
def test_a_page_that_is_not_there_shows_one_that_is(operator: Client, page: str, shown: int) -> None:
    for _ in range(26):
        queued()
    assert f"Page {shown} of 2" in words(operator.get("/jobs/", {"page": page}), "job-list")


def test_the_live_part_keeps_filter_and_page(operator: Client) -> None:
    for _ in range(26):
        in_status(JobStatus.FAILED)
    queued(title="not failed")
    whole = operator.get("/jobs/?status=failed&page=2")
    address = element(whole, id="job-list")["hx-get"]
    asked, _, _ = address.partition("&version=")
    assert asked == "/jobs/live/?status=failed&page=2"
    part = operator.get(asked)
    assert element(part, id="job-list")["hx-get"].startswith(f"{asked}&version=")
    assert titles(part) == titles(whole)
    assert current(part)["href"] == "?status=failed"
    assert "Page 2 of 2" in words(part)


def test_the_live_part_is_only_the_list(operator: Client) -> None:
    part = operator.get("/jobs/live/")
    assert elements(part, "html") == elements(part, "form") == []
    assert elements(part)[0]["id"] == "job-list"


def test_a_row_tells_why_and_when_again(operator: Client) -> None:
    in_status(JobStatus.BLOCKED)
    text = words(operator.get("/jobs/"), "job-list")
    assert "the reason for blocked Next try in" in text
    assert "place 1" in text


def test_a_row_tells_how_far_a_running_job_is(operator: Client) -> None:
    in_status(JobStatus.RUNNING, position_seconds=300.0)
    assert element(operator.get("/jobs/"), "progress")["value"] == "25"


def test_places_count_the_queue_from_its_oldest(operator: Client) -> None:
    queued(title="old")
    in_status(JobStatus.RUNNING)
    queued(title="young")
    rows = elements(operator.get("/jobs/"), "li", class_="job")
    assert [row.words[-7:] for row in rows if "place" in row.text] == ["place 2", "place 1"]
