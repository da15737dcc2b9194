"""What a page asks every two seconds is answered with nothing while it would show the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.support.markup import element
from tests.support.rows import in_status, queued
from transcribe.models import Job, JobEvent
from transcribe.states import JobStatus

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("machine")]

PARTS = {
    "/": "dashboard",
    "/jobs/": "job-list",
    "/jobs/queue/": "queue-live",
    "/gate/": "gate-live",
    "/lock/": "lock-live",
}


def job_of_yesterday() -> Job:
    """Its times are shown in minutes, so that no second changes the page."""
    job = queued()
    long_ago = timezone.now() - timedelta(hours=26, seconds=10)
    JobEvent.objects.update(at=long_ago)
    Job.objects.update(created_at=long_ago)
    return job


def asked(client: Client, page: str, part: str) -> str:
    return element(client.get(page), id=part)["hx-get"]


@pytest.mark.parametrize(("page", "part"), PARTS.items())
def test_an_unchanged_part_is_not_sent_again(administrator: Client, page: str, part: str) -> None:
    job_of_yesterday()
    address = asked(administrator, page, part)
    for _ in range(2):
        answer = administrator.get(address)
        assert (answer.status_code, answer.content) == (204, b"")


def test_an_unchanged_job_is_not_sent_again(operator: Client) -> None:
    job = job_of_yesterday()
    answer = operator.get(asked(operator, f"/jobs/{job.pk}/", "job-live"))
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(("page", "part"), [(page, part) for page, part in PARTS.items() if page != "/lock/"])
@pytest.mark.parametrize(
    "change", [lambda: queued(model="tiny", priority=1), lambda: in_status(JobStatus.RUNNING, model="tiny")]
)
def test_a_change_is_sent_once(administrator: Client, page: str, part: str, change: Callable[[], object]) -> None:
    job_of_yesterday()
    address = asked(administrator, page, part)
    change()
    Job.objects.update(created_at=timezone.now() - timedelta(hours=26))
    answer = administrator.get(address)
    assert answer.status_code == 200
    assert administrator.get(element(answer, id=part)["hx-get"]).status_code == 204


def test_it_is_sent_to_whoever_names_no_version(administrator: Client) -> None:
    for address in ("/live/", "/jobs/live/", "/jobs/queue/live/", "/gate/live/", "/lock/live/"):
        assert administrator.get(address).status_code == 200
