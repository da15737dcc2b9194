"""The transcript of a job, from its checkpoints."""

from __future__ import annotations

from typing import Any

from transcribe.audio.pcm_format import SAMPLE_RATE
from transcribe.models import Job
from transcribe.states import ChunkStatus
from transcribe.transcript import Segment, Transcript, Word


def transcript_of(job: Job) -> Transcript:
    """What is there so far; `covered_seconds` tells how much of the recording that is."""
    rows = job.segments.order_by("chunk__index", "index").values_list("start_seconds", "end_seconds", "text", "words")
    return Transcript(
        language=job.detected_language or job.language,
        segments=tuple(_segment(row) for row in rows),
        duration_seconds=job.duration_seconds,
        covered_seconds=covered_seconds(job),
    )


def covered_seconds(job: Job) -> float:
    done = job.chunks.filter(status=ChunkStatus.DONE)
    return sum(end - start for start, end in done.values_list("start_sample", "end_sample")) / SAMPLE_RATE


def coverage_of(job: Job) -> float:
    """Share of the recording that was transcribed, 0 to 1."""
    return min(1.0, covered_seconds(job) / job.duration_seconds) if job.duration_seconds > 0 else 1.0


def _segment(row: tuple[float, float, str, list[dict[str, Any]] | None]) -> Segment:
    start, end, text, stored = row
    words = tuple(Word(word["start"], word["end"], word["word"], word["probability"]) for word in stored or ())
    return Segment(start, end, text, words)
