"""A finished chunk stays a checkpoint only for the same audio, bounds, model and options."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pytest

from tests.support.jobs import make_job
from transcribe.models import Chunk, Job
from transcribe.services.progress import ENGINE_ID, chunk_commit, chunk_start, chunks_plan
from transcribe.states import ChunkStatus, JobStatus

pytestmark = pytest.mark.django_db

SPANS = [(0, 9_600_000), (9_600_000, 19_200_000)]
MODEL = "b" * 64


@pytest.fixture
def job() -> Job:
    """Its first chunk is done, with one segment; the second one was begun."""
    job = make_job(status=JobStatus.RUNNING, attempt=1)
    first, second = chunks_plan(job, SPANS, MODEL)
    chunk_start(job, first)
    chunk_commit(job, first, language="en", segments=[{"start": 1.0, "end": 2.0, "text": " memory"}])
    chunk_start(job, second)
    return job


def statuses(chunks: list[Chunk]) -> list[str]:
    return [chunk.status for chunk in chunks]


def test_the_same_plan_keeps_it(job: Job) -> None:
    kept = job.chunks.get(index=0).pk
    chunks = chunks_plan(job, SPANS, MODEL)
    assert (chunks[0].pk, chunks[0].status) == (kept, ChunkStatus.DONE)
    assert job.segments.count() == 1


@pytest.mark.parametrize(
    "changed",
    [{"audio_sha256": "c" * 64}, {"options": {"beam_size": 1}}, {"language": "en"}],
    ids=["audio", "options", "language"],
)
def test_a_changed_job_drops_it(job: Job, changed: dict[str, Any]) -> None:
    for name, value in changed.items():
        setattr(job, name, value)
    assert statuses(chunks_plan(job, SPANS, MODEL)) == [ChunkStatus.PENDING, ChunkStatus.PENDING]
    assert job.segments.count() == 0


def test_another_model_drops_it(job: Job) -> None:
    assert statuses(chunks_plan(job, SPANS, "d" * 64)) == [ChunkStatus.PENDING, ChunkStatus.PENDING]


def test_other_bounds_drop_it(job: Job) -> None:
    moved = [(0, 9_600_001), (9_600_001, 19_200_000)]
    assert statuses(chunks_plan(job, moved, MODEL)) == [ChunkStatus.PENDING, ChunkStatus.PENDING]


def test_another_version_of_whisper_is_another_engine() -> None:
    assert f"openai-whisper {version('openai-whisper')}" == ENGINE_ID


def test_its_segments_lie_at_the_true_start_of_the_chunk(job: Job) -> None:
    second = job.chunks.get(index=1)
    chunk_commit(job, second, language="en", segments=[{"start": 1.5, "end": 700.0, "text": " heat"}])
    segment = second.segments.get()
    assert segment.start_seconds == 600.0 + 1.5
    assert segment.end_seconds == 1200.0  # never behind its chunk: the last window is padded
