"""Nothing changes by following a link, nor by a form of another site."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.support.people import EVERYTHING, strict_client
from tests.support.rows import CLIP, in_status
from tests.support.uploading import stored_files
from transcribe.models import Job, QueueChange
from transcribe.states import JobStatus

pytestmark = pytest.mark.django_db

ACTS = ("cancel", "retry", "hold", "release", "now", "place", "priority", "chunks/0/again")
QUEUE_ACTS = ("/jobs/queue/pause/", "/jobs/queue/resume/")


@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "patch", "options"])
def test_acts_answer_to_post_alone(operator: Client, method: str) -> None:
    job = in_status(JobStatus.FAILED)
    for address in [*(f"/jobs/{job.pk}/{act}/" for act in ACTS), *QUEUE_ACTS, "/jobs/upload/"]:
        answer = getattr(operator, method)(address)
        assert (answer.status_code, answer["Allow"]) == (405, "POST"), address


@pytest.mark.parametrize(
    "address", ["/", "/live/", "/jobs/", "/jobs/live/", "/jobs/queue/", "/jobs/queue/live/", "/gate/", "/gate/live/"]
)
def test_pages_answer_to_no_post(administrator: Client, address: str) -> None:
    assert administrator.post(address).status_code == 405


@pytest.mark.parametrize("part", ["", "live/", "audio/", "transcript.txt"])
def test_parts_of_a_job_answer_to_no_post(operator: Client, part: str) -> None:
    assert operator.post(f"/jobs/{in_status(JobStatus.FAILED).pk}/{part}").status_code == 405


@pytest.mark.parametrize("act", [*ACTS, "delete"])
def test_an_act_without_a_token_is_refused(act: str) -> None:
    job = in_status(JobStatus.FAILED)
    answer = strict_client("anna", *EVERYTHING).post(f"/jobs/{job.pk}/{act}/")
    assert answer.status_code == 403
    assert b"This page was open for too long" in answer.content
    assert Job.objects.get().status == JobStatus.FAILED


@pytest.mark.parametrize("address", QUEUE_ACTS)
def test_an_act_on_the_queue_without_a_token_is_refused(address: str) -> None:
    assert strict_client("anna", *EVERYTHING).post(address).status_code == 403
    assert not QueueChange.objects.exists()


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_an_upload_without_a_token_is_refused_and_keeps_nothing(accept: str) -> None:
    client = strict_client("anna", *EVERYTHING)
    with CLIP.open("rb") as file:
        answer = client.post("/jobs/upload/", {"files": file, "model": "demo"}, headers={"Accept": accept})
    assert answer.status_code == 403
    assert not Job.objects.exists()
    assert stored_files() == []


def test_an_upload_with_the_token_of_the_page_is_taken() -> None:
    client = strict_client("anna", *EVERYTHING)
    token = client.get("/jobs/").context["csrf_token"]
    with CLIP.open("rb") as file:
        form = {"files": file, "model": "demo", "csrfmiddlewaretoken": str(token)}
        answer = client.post("/jobs/upload/", form, headers={"Accept": "application/json"})
    assert answer.status_code == 201
