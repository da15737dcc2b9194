"""What a page asks of the database does not grow with the number of jobs."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.support.rows import add_chunks, in_status
from transcribe.models import Job
from transcribe.states import ChunkStatus, JobStatus

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("machine")]

MOST = 20
PAGES = [
    "/",
    "/live/",
    "/jobs/",
    "/jobs/live/",
    "/jobs/queue/",
    "/jobs/queue/live/",
    "/gate/",
    "/gate/live/",
    "/report/",
]
KINDS = (JobStatus.QUEUED, JobStatus.PAUSED, JobStatus.BLOCKED, JobStatus.SUCCEEDED, JobStatus.FAILED)


def fill(count: int) -> None:
    """So many of each kind, and one that runs."""
    if not Job.objects.filter(status=JobStatus.RUNNING).exists():
        add_chunks(in_status(JobStatus.RUNNING), ChunkStatus.RUNNING)
    for _ in range(count):
        for status in KINDS:
            add_chunks(in_status(status), ChunkStatus.PENDING)


def queries(client: Client, page: str) -> int:
    client.get(page)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(page).status_code == 200
    return len(asked)


@pytest.mark.parametrize("page", PAGES)
def test_it_asks_the_same_of_few_and_of_many(administrator: Client, page: str) -> None:
    fill(3)
    few = queries(administrator, page)
    fill(9)
    assert (queries(administrator, page), few <= MOST) == (few, True), few
