"""Nobody sees or changes anything before logging in."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.support.addresses import all_addresses
from tests.support.rows import CLIP, in_status, submitted
from tests.support.uploading import stored_files
from transcribe.models import Job
from transcribe.states import JobStatus

pytestmark = pytest.mark.django_db

OPEN = {"/admin/login/"}
POST_ONLY = {"/jobs/upload/"}


def test_every_address_leads_to_the_login(anonymous: Client) -> None:
    for address in all_addresses(submitted()):
        if address in OPEN | POST_ONLY:
            continue
        answer = anonymous.get(address)
        assert answer.status_code == 302, address
        assert answer["Location"].startswith("/admin/login/?next=/"), address


def test_the_login_itself_is_open(anonymous: Client) -> None:
    assert anonymous.get("/admin/login/").status_code == 200


def test_every_post_leads_to_the_login_and_changes_nothing(anonymous: Client) -> None:
    job = in_status(JobStatus.FAILED)
    for address in all_addresses(job):
        if address in OPEN:
            continue
        answer = anonymous.post(address)
        assert answer.status_code == 302, address
        assert answer["Location"].startswith("/admin/login/?next=/"), address
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED


def test_an_upload_by_the_script_is_told_in_json(anonymous: Client) -> None:
    with CLIP.open("rb") as file:
        answer = anonymous.post("/jobs/upload/", {"files": file}, headers={"Accept": "application/json"})
    assert answer.status_code == 401
    assert "no longer logged in" in answer.json()["error"]
    assert not Job.objects.exists()
    assert stored_files() == []


def test_an_upload_without_the_script_comes_back_to_the_list(anonymous: Client) -> None:
    answer = anonymous.post("/jobs/upload/", {})
    assert answer["Location"] == "/admin/login/?next=/jobs/"


def test_a_live_part_leads_to_the_login_so_that_the_page_shows_it(anonymous: Client) -> None:
    answer = anonymous.get("/live/", headers={"HX-Request": "true"}, follow=True)
    assert answer.content.lstrip().startswith(b"<!DOCTYPE")
