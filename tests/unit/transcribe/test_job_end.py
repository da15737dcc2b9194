"""How a job ends after its engine was lost: with a status that is true, and with the reason."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.support.jobs import make_job
from transcribe.models import Attempt, AttemptOutcome, Job, JobEvent
from transcribe.services.chunk_losses import chunk_lose
from transcribe.services.progress import chunk_start, chunks_plan, job_end, losses_while_loading
from transcribe.states import JobStatus

pytestmark = pytest.mark.django_db

MODEL = "b" * 64


def lost(job: Job, number: int, minutes_ago: float) -> None:
    started_at = timezone.now() - timedelta(minutes=minutes_ago)
    Attempt.objects.create(job=job, number=number, outcome=AttemptOutcome.ENGINE_LOST, started_at=started_at)


@pytest.fixture
def job() -> Job:
    return make_job(status=JobStatus.RUNNING, attempt=1)


def test_a_job_whose_only_chunk_was_set_aside_says_why(job: Job) -> None:
    (chunk,) = chunks_plan(job, [(0, 160_000)], MODEL)
    chunk_start(job, chunk)
    assert [chunk_lose(chunk, "The engine was killed by signal 9.") for _ in range(2)] == [False, True]
    assert job_end(job) == JobStatus.FAILED
    job.refresh_from_db()
    assert job.reason == "Chunk 1 was set aside, having lost its process twice: The engine was killed by signal 9."


def test_losses_while_loading_are_counted(job: Job) -> None:
    assert losses_while_loading(job) == 0
    lost(job, 1, minutes_ago=5)
    assert losses_while_loading(job) == 1


def test_a_loss_before_a_chunk_was_begun_is_forgotten(job: Job) -> None:
    lost(job, 1, minutes_ago=5)
    (chunk,) = chunks_plan(job, [(0, 160_000)], MODEL)
    chunk_start(job, chunk)
    assert losses_while_loading(job) == 0


def test_a_loss_before_a_retry_is_forgotten(job: Job) -> None:
    lost(job, 1, minutes_ago=5)
    JobEvent.objects.create(job=job, old=JobStatus.FAILED, new=JobStatus.QUEUED, reason="retried by anna")
    assert losses_while_loading(job) == 0
