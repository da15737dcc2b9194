"""A run that another has taken over writes nothing any more: not to the job, not to its chunks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.jobs import make_job
from transcribe.errors import JobFenced
from transcribe.models import AttemptOutcome, Chunk, Job
from transcribe.services.chunk_losses import chunk_lose
from transcribe.services.progress import chunk_fail, chunk_measure, chunk_start, chunks_plan, job_leave
from transcribe.states import JobStatus

pytestmark = pytest.mark.django_db


@pytest.fixture
def fenced() -> tuple[Job, Chunk]:
    """Job and chunk as the older run knows them; the newer one has the same chunk in hand."""
    job = make_job(status=JobStatus.RUNNING, attempt=1)
    (chunk,) = chunks_plan(job, [(0, 160_000)], "b" * 64)
    chunk_start(job, chunk)
    Job.objects.update(attempt=2)
    return job, chunk


WRITES: dict[str, Callable[[Chunk], object]] = {
    "fail": lambda chunk: chunk_fail(chunk, "failed"),
    "measure": lambda chunk: chunk_measure(chunk, paused_seconds=5.0, taken_over_seconds=5.0),
    "lose": lambda chunk: chunk_lose(chunk, "lost"),
}


@pytest.mark.parametrize("name", WRITES)
def test_it_does_not_touch_the_chunk(fenced: tuple[Job, Chunk], name: str) -> None:
    before = Chunk.objects.values().get()
    with pytest.raises(JobFenced):
        WRITES[name](fenced[1])
    assert Chunk.objects.values().get() == before


def test_it_does_not_put_back_the_chunk_that_runs(fenced: tuple[Job, Chunk]) -> None:
    before = Chunk.objects.values().get()
    assert not job_leave(fenced[0], JobStatus.QUEUED, "stopped", AttemptOutcome.STOPPED)
    assert Chunk.objects.values().get() == before
