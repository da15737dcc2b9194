"""A lost job comes back later each time it got nowhere; one that loses its worker for ever is given up."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from tests.support.jobs import make_job
from transcribe.models import Attempt, AttemptOutcome, Chunk, Job, JobEvent
from transcribe.retries import retry_delay
from transcribe.services.claims import jobs_recover_worker
from transcribe.services.tries import fruitless_attempts, next_try_after_block, next_try_after_loss
from transcribe.states import ChunkStatus, JobStatus


@pytest.mark.parametrize(
    ("fruitless", "seconds"),
    [(-1, 0), (0, 0), (1, 30), (2, 60), (3, 120), (6, 960), (7, 1800), (8, 1800), (10_000, 1800)],
)
def test_it_doubles_to_the_cap(fruitless: int, seconds: float) -> None:
    assert retry_delay(fruitless, base_seconds=30) == seconds


def test_a_base_above_the_cap_stands() -> None:
    assert retry_delay(3, base_seconds=3600) == 3600


def attempt(job: Job, number: int, outcome: AttemptOutcome | str, minutes_ago: float) -> None:
    started_at = timezone.now() - timedelta(minutes=minutes_ago)
    Attempt.objects.create(job=job, number=number, host=settings.HOST_ID, outcome=outcome, started_at=started_at)


def chunk_done(job: Job, minutes_ago: float) -> None:
    done_at: datetime = timezone.now() - timedelta(minutes=minutes_ago)
    Chunk.objects.create(
        job=job, index=0, start_sample=0, end_sample=1, status=ChunkStatus.DONE, finished_at=done_at
    )  # fmt: skip


LOST = (AttemptOutcome.ENGINE_LOST, AttemptOutcome.WORKER_LOST, AttemptOutcome.MACHINE_ENDED)


@pytest.fixture
def job() -> Job:
    """In its fourth attempt; the three before were lost in each of the ways."""
    job = make_job(status=JobStatus.RUNNING, attempt=4, host=settings.HOST_ID)
    for number, outcome in enumerate(LOST, 1):
        attempt(job, number, outcome, minutes_ago=50 - 10 * number)
    attempt(job, 4, "", minutes_ago=10)
    return job


def wait_seconds(job: Job) -> float:
    next_try = next_try_after_loss(job)
    return 0.0 if next_try is None else (next_try - timezone.now()).total_seconds()


@pytest.mark.django_db
def test_every_loss_in_a_row_counts_with_the_one_in_hand(job: Job) -> None:
    assert fruitless_attempts(job).count() == 4
    assert wait_seconds(job) == pytest.approx(8 * settings.GATE_RETRY_SECONDS, abs=5)


@pytest.mark.django_db
def test_a_no_of_the_gate_a_stop_and_a_cancel_do_not_count(job: Job) -> None:
    for number, outcome in enumerate((AttemptOutcome.BLOCKED, AttemptOutcome.STOPPED, AttemptOutcome.CANCELLED), 5):
        attempt(job, number, outcome, minutes_ago=5)
    assert fruitless_attempts(job).count() == 4


@pytest.mark.django_db
@pytest.mark.parametrize(("loaded", "factor"), [(False, 1), (True, 16)])
def test_a_no_after_the_model_was_loaded_counts(job: Job, loaded: bool, factor: int) -> None:
    values = {"engine_pid": 7} if loaded else {}
    Attempt.objects.filter(number=4).update(outcome=AttemptOutcome.BLOCKED, **values)
    attempt(job, 5, "", minutes_ago=1)
    Attempt.objects.filter(number=5).update(**values)
    Job.objects.update(attempt=5)
    job.refresh_from_db()
    seconds = (next_try_after_block(job) - timezone.now()).total_seconds()
    assert seconds == pytest.approx(factor * settings.GATE_RETRY_SECONDS, abs=5)


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes_ago", "count"), [(35, 3), (15, 1), (5, 0)])
def test_a_finished_chunk_starts_the_count_again(job: Job, minutes_ago: float, count: int) -> None:
    chunk_done(job, minutes_ago)
    assert fruitless_attempts(job).count() == count
    assert (next_try_after_loss(job) is None) == (count == 0)


@pytest.mark.django_db
def test_a_retry_by_a_person_starts_the_count_again(job: Job) -> None:
    at = timezone.now() - timedelta(minutes=15)
    JobEvent.objects.create(job=job, old=JobStatus.FAILED, new=JobStatus.QUEUED, reason="retried by anna", at=at)
    assert fruitless_attempts(job).count() == 1


@pytest.mark.django_db
def test_a_job_of_a_lost_worker_waits_visibly(job: Job) -> None:
    assert jobs_recover_worker() == 1
    job.refresh_from_db()
    assert job.status == JobStatus.QUEUED
    assert job.next_try_at is not None
    assert (job.next_try_at - timezone.now()).total_seconds() == pytest.approx(8 * settings.GATE_RETRY_SECONDS, abs=5)


@pytest.mark.django_db
@pytest.mark.parametrize(("before", "status"), [(3, JobStatus.QUEUED), (4, JobStatus.FAILED)])
def test_the_fifth_lost_worker_in_a_row_ends_it_with_the_reason(before: int, status: JobStatus) -> None:
    job = make_job(status=JobStatus.RUNNING, attempt=before + 1, host=settings.HOST_ID)
    for number in range(1, before + 1):
        attempt(job, number, AttemptOutcome.WORKER_LOST, minutes_ago=60 - number)
    attempt(job, before + 1, "", minutes_ago=1)
    assert jobs_recover_worker() == 1
    job.refresh_from_db()
    assert job.status == status
    if status == JobStatus.FAILED:
        assert job.reason.startswith("The worker that ran it is gone; what it has read is kept. This happened 5 times")
