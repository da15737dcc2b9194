"""The language is detected once for each job: what the first chunk was found to be, the second is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.jobs import make_job
from transcribe.engine.protocol import Transcribe, Transcribed
from transcribe.job_run import JobRun
from transcribe.models import Job
from transcribe.services.progress import chunks_plan
from transcribe.slot import EngineSlot
from transcribe.states import JobStatus

pytestmark = pytest.mark.django_db

SPANS = [(0, 9_600_000), (9_600_000, 19_200_000)]


class Nobody:
    def stopping(self) -> bool:
        return False

    def progress(self, job: Job) -> None: ...


def languages_asked_for(job: Job) -> list[str | None]:
    """What the engine is asked for, chunk after chunk; it finds German. (The demo model knows English only.)"""
    asked: list[str | None] = []

    def transcribe(request: Transcribe, **_: Any) -> Transcribed:
        asked.append(request.language)
        return Transcribed(language="de", segments=[], peak_bytes=1)

    run = JobRun(job, EngineSlot(), Nobody())
    for chunk in chunks_plan(job, SPANS, "b" * 64):
        run._read_chunk(chunk, Path("audio.pcm"), transcribe)
    return asked


def test_the_second_chunk_is_told_what_the_first_was_found_to_be() -> None:
    job = make_job(status=JobStatus.RUNNING, attempt=1)
    assert languages_asked_for(job) == [None, "de"]
    job.refresh_from_db()
    assert (job.language, job.detected_language) == ("", "de")


def test_a_chosen_language_is_told_to_every_chunk() -> None:
    job = make_job(status=JobStatus.RUNNING, attempt=1, language="fr")
    assert languages_asked_for(job) == ["fr", "fr"]
