"""The part of a job's page that asks every two seconds: small while nothing happens, complete when something did."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.support.markup import element, elements
from tests.support.rows import add_text, in_status, queued, running
from transcribe.models import Attempt, Job, Segment
from transcribe.services import job_cancel, job_delete
from transcribe.services.progress import job_update
from transcribe.states import ENDED, JobStatus

pytestmark = pytest.mark.django_db

STATE_PARTS = {"job-about", "job-history"}
TEXT_PARTS = {"job-downloads", "job-text"}


def asked(client: Client, job: Job) -> str:
    """The address that the page of the job asks."""
    return element(client.get(f"/jobs/{job.pk}/"), id="job-live")["hx-get"]


def riding_along(answer: Any) -> set[str]:
    return {found["id"] for found in elements(answer, hx_swap_oob="true")}


def test_nothing_rides_along_while_nothing_changed(operator: Client) -> None:
    job = running()
    add_text(job, "zero")
    address = asked(operator, job)
    job_update(job, activity="Reading speech")
    answer = operator.get(address)
    assert elements(answer)[0]["id"] == "job-live"
    assert riding_along(answer) == set()


def test_the_answer_asks_the_same_address_again(operator: Client) -> None:
    """But for the version of what it shows."""
    address, _, _ = asked(operator, running()).partition("&version=")
    again = element(operator.get(address), id="job-live")["hx-get"]
    assert again.startswith(f"{address}&version=")


def test_running_figures_alone_change_nothing_else(operator: Client) -> None:
    job = running()
    address = asked(operator, job)
    job_update(job, position_seconds=300.0, live_text="one two", activity="Reading speech")
    answer = operator.get(address)
    assert riding_along(answer) == set()
    assert "25 %" in element(answer, id="job-live").words


def test_new_text_brings_text_and_downloads(operator: Client) -> None:
    job = running()
    address = asked(operator, job)
    add_text(job, "zero one")
    answer = operator.get(address)
    assert riding_along(answer) == TEXT_PARTS
    assert "zero one" in element(answer, id="job-text").words


def test_text_that_was_taken_away_is_shown_as_gone(operator: Client) -> None:
    job = running()
    add_text(job, "zero one")
    address = asked(operator, job)
    Segment.objects.all().delete()
    assert riding_along(operator.get(address)) == TEXT_PARTS


def test_a_change_of_state_brings_everything(operator: Client) -> None:
    job = queued()
    address = asked(operator, job)
    assert job.move(JobStatus.BLOCKED, "too hot")
    answer = operator.get(address)
    assert riding_along(answer) == STATE_PARTS | TEXT_PARTS
    assert "Too hot" in element(answer, id="job-history").words


def test_a_state_that_was_left_and_entered_again_is_a_change(operator: Client) -> None:
    job = running()
    address = asked(operator, job)
    assert job.move(JobStatus.QUEUED, "worker gone")
    assert job.move(JobStatus.RUNNING)
    assert riding_along(operator.get(address)) >= STATE_PARTS


def test_a_wish_to_stop_is_a_change(operator: Client) -> None:
    job = running()
    address = asked(operator, job)
    assert job_cancel(job, None)
    answer = operator.get(address)
    assert riding_along(answer) >= STATE_PARTS
    assert element(answer, role="status").words == "Stopping"


def test_what_the_run_finds_out_is_a_change(operator: Client) -> None:
    job = running()
    address = asked(operator, job)
    Attempt.objects.create(job=job, number=7, host="here", engine_pid=4321)
    answer = operator.get(address)
    assert "process 4321" in element(answer, id="job-history").words
    address = asked(operator, job)
    Job.objects.filter(pk=job.pk).update(detected_language="de")
    assert "German" in element(operator.get(address), id="job-about").words


@pytest.mark.parametrize("status", sorted(ENDED))
def test_an_ended_job_is_shown_whole_and_asks_no_more(operator: Client, status: JobStatus) -> None:
    job = running()
    address = asked(operator, job)
    assert job.move(status, "over")
    answer = operator.get(address)
    assert riding_along(answer) == STATE_PARTS | TEXT_PARTS
    assert not any(name.startswith("hx-") and name != "hx-swap-oob" for e in elements(answer) for name in e.attributes)


def test_parts_that_ride_along_are_those_of_the_page(operator: Client) -> None:
    job = running()
    page = operator.get(f"/jobs/{job.pk}/")
    assert riding_along(page) == set()
    for identifier in STATE_PARTS | TEXT_PARTS:
        assert element(page, id=identifier)


def test_a_deleted_job_makes_the_page_load_again(operator: Client) -> None:
    job = in_status(JobStatus.FAILED)
    assert job_delete(job, None)
    answer = operator.get(f"/jobs/{job.pk}/live/")
    assert (answer.status_code, answer["HX-Refresh"], answer.content) == (200, "true", b"")


def test_buttons_in_the_answer_carry_a_token(operator: Client) -> None:
    answer = operator.get(f"/jobs/{running().pk}/live/")
    tokens = elements(answer, "input", name="csrfmiddlewaretoken")
    assert tokens
    assert len(tokens) == len(elements(answer, "form"))
    assert all(token["value"] for token in tokens)


@pytest.mark.parametrize("query", ["", "?state=x&segments=y", "?state=%00&segments=-1"])
def test_any_question_gets_an_answer(operator: Client, query: str) -> None:
    assert riding_along(operator.get(f"/jobs/{running().pk}/live/{query}")) == STATE_PARTS | TEXT_PARTS


def test_of_the_text_that_is_being_read_the_last_lines_stand_there(operator: Client) -> None:
    """A chunk has hundreds; who looks at it should not have to scroll for the newest."""
    job = running()
    job_update(job, live_text="\n".join(f"line {number}." for number in range(1, 13)))
    box = element(operator.get(f"/jobs/{job.pk}/"), id="job-live").words
    assert "line 1." in box
    assert "more line" not in box
    job_update(job, live_text="\n".join(f"line {number}." for number in range(1, 16)))
    box = element(operator.get(f"/jobs/{job.pk}/"), id="job-live").words
    assert "3 more lines of this chunk before these" in box
    assert "line 3." not in box
    assert "line 4." in box
    assert "line 15." in box
