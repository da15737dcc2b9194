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


def languages_asked_for(job: Job, *, first: dict[str, Any] | None = None) -> list[str | None]:
    """What the engine is asked for, chunk after chunk; it finds German. (The demo model knows English only.)

    `first`: what it answers to the first chunk instead.
    """
    asked: list[str | None] = []

    def transcribe(request: Transcribe, **_: Any) -> Transcribed:
        asked.append(request.language)
        answer = first if first is not None and len(asked) == 1 else {"language": "de"}
        return Transcribed(**{"segments": [], "peak_bytes": 1, **answer})

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


def test_what_was_detected_in_silence_is_not_told_to_the_second_chunk() -> None:
    job = make_job(status=JobStatus.RUNNING, attempt=1)
    assert languages_asked_for(job, first={"language": "en", "language_of_speech": False}) == [None, None]
    job.refresh_from_db()
    assert job.detected_language == "de"


@pytest.mark.parametrize(
    ("probability", "of_speech", "note"),
    [
        (0.9, True, ""),
        (0.5, True, ""),
        (0.39, True, "The language was taken to be French, but it may be another (39 % sure). "),
        (0.9, False, "The language was taken to be French, but it may be another (90 % sure). "),
        (None, False, "The language was taken to be French, but it may be another. "),
    ],
)
def test_a_language_that_is_not_sure_is_noted(probability: float | None, of_speech: bool, note: str) -> None:
    job = make_job(status=JobStatus.RUNNING, attempt=1)
    segment = {"start": 0.0, "end": 1.0, "text": " Bonjour."}
    answer = {"language": "fr", "language_probability": probability, "language_of_speech": of_speech}
    languages_asked_for(job, first={**answer, "segments": [segment]})
    job.refresh_from_db()
    assert job.note == (note and f"{note}If so, choose it and transcribe again.")


def test_silence_without_text_needs_no_note() -> None:
    job = make_job(status=JobStatus.RUNNING, attempt=1)
    languages_asked_for(job, first={"language": "en", "language_of_speech": False})
    job.refresh_from_db()
    assert job.note == ""
