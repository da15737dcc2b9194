"""Staff without a permission, and people who are not staff, are turned away."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.support.addresses import own_addresses
from tests.support.people import EVERYTHING, client_of
from tests.support.rows import CLIP, in_status, submitted
from tests.support.uploading import stored_files
from transcribe.models import Job
from transcribe.states import JobStatus

pytestmark = pytest.mark.django_db

POST_ONLY = ("/upload/", "/cancel/", "/retry/", "/hold/", "/release/", "/now/", "/place/", "/priority/", "/again/")
POST_ONLY += ("/pause/", "/resume/", "/acknowledge/", "/note/", "/resolve/", "/reopen/")


@pytest.fixture
def nobody() -> Client:
    return client_of("nobody")


def test_every_page_refuses_staff_without_permission(nobody: Client) -> None:
    for address in own_addresses(submitted()):
        method = nobody.post if address.endswith(POST_ONLY) else nobody.get
        answer = method(address)
        assert answer.status_code == 403, address
        assert b"Your account may not do this" in answer.content, address


def test_every_page_refuses_people_who_are_not_staff() -> None:
    outsider = client_of("outsider", *EVERYTHING, is_staff=False)
    for address in own_addresses(submitted()):
        method = outsider.post if address.endswith(POST_ONLY) else outsider.get
        assert method(address).status_code == 403, address


def test_an_upload_by_the_script_is_told_in_json(nobody: Client) -> None:
    with CLIP.open("rb") as file:
        answer = nobody.post("/jobs/upload/", {"files": file}, headers={"Accept": "application/json"})
    assert answer.status_code == 403
    assert "Can add job" in answer.json()["error"]
    assert not Job.objects.exists()
    assert stored_files() == []


@pytest.mark.parametrize(
    ("permissions", "address", "status"),
    [
        (("view_job",), "cancel", 403),
        (("view_job",), "retry", 403),
        (("view_job",), "delete", 403),
        *((("view_job",), act, 403) for act in ("hold", "release", "now", "place", "priority", "chunks/0/again")),
        (("view_job", "change_job"), "delete", 403),
        (("view_job", "delete_job"), "retry", 403),
        (("view_job", "change_job"), "retry", 302),
        (("view_job", "delete_job"), "delete", 302),
    ],
)
def test_each_act_has_its_own_permission(permissions: tuple[str, ...], address: str, status: int) -> None:
    job = in_status(JobStatus.FAILED)
    answer = client_of("someone", *permissions).post(f"/jobs/{job.pk}/{address}/")
    assert answer.status_code == status
    untouched = Job.objects.filter(pk=job.pk, status=JobStatus.FAILED).exists()
    assert untouched is (status == 403)
