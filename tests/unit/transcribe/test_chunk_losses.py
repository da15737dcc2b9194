"""A chunk at which worker or machine end: blamed only where it got no further than the time before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django import Settings

from gate.models import Incident
from tests.support.jobs import make_job
from transcribe.conf import journal_path
from transcribe.engine.journal import kept_values, open_journal
from transcribe.models import Attempt, AttemptOutcome, Chunk, Job
from transcribe.services.chunk_losses import RUN_LOST, chunk_lose
from transcribe.services.claims import job_claim, jobs_recover_worker, jobs_take_back
from transcribe.services.jobs import job_retry
from transcribe.services.order import chunk_retry
from transcribe.services.progress import chunk_start, chunks_plan
from transcribe.states import ChunkStatus, JobStatus

pytestmark = pytest.mark.django_db

MINUTE = 60 * 16_000
PENDING, ASIDE = ChunkStatus.PENDING, ChunkStatus.QUARANTINED


@pytest.fixture(autouse=True)
def _place(settings: Settings, tmp_path: Path) -> None:
    settings.WORK_DIR, settings.LOG_DIR = tmp_path / "work", tmp_path / "logs"


@pytest.fixture
def read() -> Callable[[], Chunk]:
    """Begin the first chunk of the one job in a new attempt."""

    def begin() -> Chunk:
        Job.objects.update(next_try_at=None)
        job = job_claim()
        assert job is not None
        chunk = chunks_plan(job, [(0, MINUTE), (MINUTE, 2 * MINUTE)], "f" * 64)[0]
        chunk_start(job, chunk)
        return chunk

    make_job()
    return begin


def keep_windows(job: Job, count: int, temperature: float = 0.0) -> None:
    path = journal_path(job.pk, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    journal = open_journal(path, {"format": 1}, tell=print)
    for _ in range(count):
        journal.append(f"key {len(kept_values(path))}", {"text": "said", "temperature": temperature})
    journal.close()


def lose(take_back: Callable[[], object] = jobs_recover_worker) -> str:
    """The status of the first chunk when its worker is gone."""
    take_back()
    return str(Chunk.objects.get(index=0).status)


def test_twice_at_the_same_place_sets_it_aside_and_the_rest_goes_on(read: Callable[[], Chunk]) -> None:
    job = read().job
    keep_windows(job, 3)
    assert lose() == PENDING
    kept = "no chunk of it was finished; what was read of an unfinished one is kept"
    assert Incident.objects.get(kind="worker_lost").recovery == f"job {job.pk} “Talk” was queued again; {kept}."
    read()
    assert lose() == ASIDE
    job.refresh_from_db()
    assert (job.status, job.finished_at) == (JobStatus.QUEUED, None)
    assert Chunk.objects.get(index=1).status == PENDING
    assert Chunk.objects.get(index=0).error == RUN_LOST
    incident = Incident.objects.get(kind="engine_lost_twice")
    assert f"job {job.pk} “Talk”, attempt 2, in chunk 1: {RUN_LOST}" in incident.summary


@pytest.mark.parametrize("further", [1, 4])
def test_one_that_got_further_is_not_blamed(read: Callable[[], Chunk], further: int) -> None:
    job = read().job
    for _ in range(3):
        assert lose() == PENDING
        read()
        keep_windows(job, further)
    assert not Incident.objects.filter(kind="engine_lost_twice").exists()


def test_a_fallback_of_the_same_window_is_no_further(read: Callable[[], Chunk]) -> None:
    job = read().job
    keep_windows(job, 3)
    assert lose() == PENDING
    read()
    keep_windows(job, 2, temperature=0.2)
    assert lose() == ASIDE


def test_an_engine_and_then_the_worker_at_the_same_place_are_twice(read: Callable[[], Chunk]) -> None:
    chunk = read()
    assert not chunk_lose(chunk, "The engine was killed by signal 9.")
    chunk_start(chunk.job, chunk)
    assert lose() == ASIDE


def test_two_engines_are_twice_wherever(read: Callable[[], Chunk]) -> None:
    chunk = read()
    assert not chunk_lose(chunk, "The engine was killed by signal 9.")
    keep_windows(chunk.job, 2)
    assert chunk_lose(chunk, "The engine was killed by signal 9.")


def test_the_last_chunk_that_is_left_ends_the_job(read: Callable[[], Chunk]) -> None:
    job = read().job
    Chunk.objects.filter(index=1).update(status=ChunkStatus.DONE)
    lose()
    read()
    assert lose() == ASIDE
    job.refresh_from_db()
    assert job.status == JobStatus.INCOMPLETE
    assert job.reason.startswith("1 of 2 chunks are done. Chunk 1 was set aside, having lost its process twice: The")
    assert not Attempt.objects.filter(ended_at=None).exists()


@pytest.mark.parametrize("wish", ["hold_requested", "cancel_requested"])
def test_one_that_was_to_end_is_not_blamed(read: Callable[[], Chunk], wish: str) -> None:
    read()
    lose()
    read()
    Job.objects.update(**{wish: True})
    assert lose() == PENDING


def test_a_restored_backup_blames_nothing(read: Callable[[], Chunk]) -> None:
    for _ in range(3):
        read()
        assert lose(lambda: jobs_take_back("it was running when the backup was made")) == PENDING


@pytest.mark.parametrize("alone", [True, False])
def test_tried_again_by_a_person_it_has_two_more(read: Callable[[], Chunk], alone: bool) -> None:
    job = read().job
    Chunk.objects.filter(index=1).update(status=ChunkStatus.DONE)
    lose()
    chunk = read()
    lose()
    job.refresh_from_db()
    assert chunk_retry(chunk, None) if alone else job_retry(job, None)
    read()
    assert lose() == PENDING


def test_no_chunk_in_hand_is_none_to_blame() -> None:
    make_job(status=JobStatus.RUNNING, attempt=1, host=settings.HOST_ID)
    assert jobs_recover_worker() == 1
    assert Job.objects.get().status == JobStatus.QUEUED
    assert set(Attempt.objects.values_list("outcome", flat=True)) <= {AttemptOutcome.WORKER_LOST}
