"""Jobs in every state, made by the services and models that make them in the panel."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from tests.support.jobs import make_job
from tests.support.speech_files import SPEECH_DIR
from transcribe.models import Chunk, Job, JobEvent, Segment
from transcribe.options import DecodingOptions
from transcribe.services import job_submit
from transcribe.services.claims import job_claim_this
from transcribe.states import ChunkStatus, JobStatus
from transcribe.uploads import local_upload

CLIP = SPEECH_DIR / "clip_00.flac"
RATE = 16_000
EVIL = """<script>alert("1")</script> 'quoted' & <b onclick="x()">bold</b>"""


def submitted(path: Path = CLIP, *, title: str = "") -> Job:
    """A job with a real recording."""
    with local_upload(path) as upload:
        return job_submit(upload, title=title, model="demo", language="", options=DecodingOptions(), user=None).job


def queued(**values: Any) -> Job:
    job = make_job(**values)
    JobEvent.objects.create(job=job, new=JobStatus.QUEUED, reason="submitted")
    return job


def running(**values: Any) -> Job:
    """`position_seconds`: how far it has got by now; a claim begins at the last checkpoint."""
    position_seconds = values.pop("position_seconds", 0.0)
    job = queued(**values)
    assert job_claim_this(job)
    job.position_seconds = position_seconds
    job.save(update_fields=["position_seconds"])
    return job


def in_status(status: JobStatus, **values: Any) -> Job:
    """By the way a job takes to get there."""
    if status is JobStatus.QUEUED:
        return queued(**values)
    job = running(**values)
    changes: dict[str, Any] = {}
    if status is JobStatus.BLOCKED:
        changes = {"next_try_at": timezone.now() + timedelta(seconds=30)}
    elif job.status != status and status not in {JobStatus.RUNNING, JobStatus.PAUSED}:
        changes = {"finished_at": timezone.now()}
    if status is not JobStatus.RUNNING:
        assert job.move(status, f"the reason for {status}", **changes)
    return job


def add_chunks(job: Job, *statuses: ChunkStatus, seconds: float = 600.0) -> list[Chunk]:
    length = int(seconds * RATE)
    return [
        Chunk.objects.create(
            job=job, index=index, start_sample=index * length, end_sample=(index + 1) * length, status=status
        )
        for index, status in enumerate(statuses)
    ]


def add_text(job: Job, *texts: str, words: list[dict[str, Any]] | None = None) -> Chunk:
    """One finished chunk over the whole recording with a segment of two seconds for each text."""
    chunk = Chunk.objects.create(
        job=job,
        index=job.chunks.count(),
        start_sample=0,
        end_sample=int(job.duration_seconds * RATE),
        status=ChunkStatus.DONE,
    )
    for index, text in enumerate(texts):
        Segment.objects.create(
            job=job,
            chunk=chunk,
            index=index,
            start_seconds=2.0 * index,
            end_seconds=2.0 * index + 1.5,
            text=text,
            words=words,
        )
    return chunk
