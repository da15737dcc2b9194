"""What people and recordings bring along is shown as text, never run."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from tests.support.markup import element, elements, inside, messages
from tests.support.rows import EVIL, add_text, in_status, queued, running
from transcribe.models import Attempt, Job
from transcribe.states import JobStatus

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("status", list(JobStatus))
def test_a_hostile_job_adds_no_element(operator: Client, status: JobStatus) -> None:
    plain, evil = in_status(status, title="x", note="x"), in_status(status, title=EVIL, note=EVIL, original_name=EVIL)
    for job, text in ((plain, "x"), (evil, EVIL)):
        add_text(job, text)
        Job.objects.filter(pk=job.pk).update(live_text=text, activity=text, reason=text)
        Attempt.objects.filter(job=job).update(output_tail=text)
    for part in ("", "live/", "delete/"):
        tags = [[e.tag for e in elements(operator.get(f"/jobs/{job.pk}/{part}"))] for job in (plain, evil)]
        assert tags[0] == tags[1]


def test_the_text_is_shown_as_it_is(operator: Client) -> None:
    job = in_status(JobStatus.SUCCEEDED, title=EVIL)
    add_text(job, EVIL)
    answer = operator.get(f"/jobs/{job.pk}/")
    assert element(answer, "h1").text == EVIL
    assert inside(answer, "segments", "span")[0].text == EVIL
    assert element(answer, "title").text == f"{EVIL} · J5A"


def test_lists_and_dashboard_show_the_title_as_it_is(operator: Client) -> None:
    running(title=EVIL)
    queued(title=EVIL)
    in_status(JobStatus.SUCCEEDED, title=EVIL)
    for address, count in (("/", 3), ("/live/", 3), ("/jobs/", 3), ("/jobs/live/", 3)):
        assert [e.text for e in elements(operator.get(address), "a", class_="job-link")] == [EVIL] * count


@pytest.mark.parametrize("act", ["cancel", "retry", "delete"])
def test_messages_show_the_title_as_it_is(operator: Client, act: str) -> None:
    job = in_status(JobStatus.QUEUED if act == "cancel" else JobStatus.FAILED, title=EVIL)
    answer = operator.post(f"/jobs/{job.pk}/{act}/", follow=True)
    (told,) = messages(answer)
    assert EVIL in told


def test_a_refused_upload_shows_its_name_as_text(operator: Client, tmp_path: Path) -> None:
    bad = tmp_path / "<img src=x onerror=alert(1)>.mp3"
    bad.write_text("no sound")
    with bad.open("rb") as file:
        answer = operator.post("/jobs/upload/", {"files": file, "model": "demo"}, follow=True)
    (told,) = messages(answer)
    assert told.startswith("<img src=x onerror=alert(1)>.mp3: ")
    assert elements(answer, "img") == []
