"""The queue's order: priority, then the place a person gave, then age; and holding jobs out of it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django_q.models import OrmQ

from tests.support.jobs import make_job
from transcribe.models import Chunk, Job, JobEvent
from transcribe.selectors import waiting_jobs
from transcribe.services import (
    Place,
    chunk_retry,
    job_cancel,
    job_hold,
    job_place,
    job_prioritise,
    job_release,
    job_retry,
)
from transcribe.services.claims import job_claim
from transcribe.services.order import placed
from transcribe.states import RETRYABLE, ChunkStatus, JobStatus, Priority

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna")


def order() -> list[int]:
    return list(waiting_jobs().values_list("pk", flat=True))


def claims() -> list[int]:
    found = []
    while (job := job_claim()) is not None:
        found.append(job.pk)
    return found


@pytest.mark.parametrize(
    ("pk", "place", "wanted"),
    [
        (1, Place.UP, [1, 2, 3]),
        (2, Place.UP, [2, 1, 3]),
        (3, Place.UP, [1, 3, 2]),
        (1, Place.DOWN, [2, 1, 3]),
        (3, Place.DOWN, [1, 2, 3]),
        (3, Place.FIRST, [3, 1, 2]),
        (1, Place.FIRST, [1, 2, 3]),
    ],
)
def test_placed(pk: int, place: Place, wanted: list[int]) -> None:
    assert placed([1, 2, 3], pk, place) == wanted


def test_they_are_claimed_in_the_order_that_is_shown(anna: User) -> None:
    a, b, c, d = (make_job() for _ in range(4))
    assert job_place(c, Place.FIRST)
    assert job_place(a, Place.DOWN)
    assert job_prioritise(d, Priority.HIGH, anna)
    newcomer = make_job()
    assert order() == [d.pk, c.pk, b.pk, a.pk, newcomer.pk]
    assert claims() == [d.pk, c.pk, b.pk, a.pk, newcomer.pk]


def test_a_move_that_changes_nothing_says_so() -> None:
    first, _ = make_job(), make_job()
    assert not job_place(first, Place.UP)
    assert job_claim() == first
    assert not job_place(first, Place.FIRST)


def test_a_job_moves_among_those_of_its_priority(anna: User) -> None:
    low, normal = make_job(), make_job()
    assert job_prioritise(low, Priority.LOW, anna)
    assert not job_prioritise(low, Priority.LOW, anna)
    assert not job_place(low, Place.UP)
    assert order() == [normal.pk, low.pk]
    assert JobEvent.objects.get().reason == "priority low, set by anna"


def test_a_held_job_is_not_claimed_until_it_is_released(anna: User) -> None:
    held, other = make_job(status=JobStatus.BLOCKED), make_job()
    assert job_hold(held, anna)
    assert not job_hold(held, anna)
    assert claims() == [other.pk]
    assert (Job.objects.get(pk=held.pk).status, Job.objects.get(pk=held.pk).reason) == ("paused", "held by anna")
    assert job_release(held, anna)
    assert not job_release(held, anna)
    assert OrmQ.objects.count() == 1
    assert claims() == [held.pk]


def test_a_running_job_is_asked_to_stop_and_keeps_running_until_it_has(anna: User) -> None:
    make_job()
    job = job_claim()
    assert job is not None
    assert job_hold(job, anna)
    row = Job.objects.get()
    assert (row.status, row.hold_requested, row.reason) == (JobStatus.RUNNING, True, "held by anna")
    assert not job_hold(job, anna)
    assert job_cancel(job, anna)  # who cancels after all is heard
    assert Job.objects.get().cancel_requested


def test_a_held_job_can_be_cancelled(anna: User) -> None:
    job = make_job()
    job_hold(job, anna)
    assert job_cancel(job, anna)
    assert Job.objects.get().status == JobStatus.CANCELLED


def test_a_retried_job_forgets_what_was_asked_of_it(anna: User) -> None:
    job = make_job(status=JobStatus.FAILED, position=-5, hold_requested=True, ignores_hours=True)
    assert job_retry(job, anna)
    row = Job.objects.get()
    assert (row.position, row.hold_requested, row.ignores_hours) == (0, False, False)


@pytest.mark.parametrize("status", sorted(RETRYABLE))
def test_one_chunk_is_tried_again_and_the_others_stay(anna: User, status: JobStatus) -> None:
    job = make_job(status=status)
    wanted = [ChunkStatus.DONE, ChunkStatus.QUARANTINED, ChunkStatus.QUARANTINED]
    chunks = [
        Chunk.objects.create(
            job=job, index=at, start_sample=at, end_sample=at + 1, status=status, engine_losses=2, error="killed"
        )
        for at, status in enumerate(wanted)
    ]
    assert chunk_retry(chunks[1], anna)
    assert list(job.chunks.values_list("status", "engine_losses", "error")) == [
        ("done", 2, "killed"),
        ("pending", 0, ""),
        ("quarantined", 2, "killed"),
    ]
    assert Job.objects.get().status == JobStatus.QUEUED
    assert JobEvent.objects.get().reason == "chunk 2 is tried again, asked for by anna"
    assert OrmQ.objects.count() == 1
    assert not chunk_retry(chunks[2], anna)  # the job waits by now


def test_a_chunk_that_is_not_set_aside_is_not_tried_again(anna: User) -> None:
    job = make_job(status=JobStatus.INCOMPLETE)
    done = Chunk.objects.create(job=job, index=0, start_sample=0, end_sample=1, status=ChunkStatus.DONE)
    assert not chunk_retry(done, anna)
    assert (Job.objects.get().status, Chunk.objects.get().status) == (JobStatus.INCOMPLETE, ChunkStatus.DONE)
