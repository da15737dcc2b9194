"""The transcript of a job, from its checkpoints."""

from __future__ import annotations

from transcribe.audio.pcm_format import SAMPLE_RATE
from transcribe.models import Job
from transcribe.models import Segment as SegmentRow
from transcribe.states import ChunkStatus
from transcribe.transcript import Segment, Transcript, Word


def transcript_of(job: Job) -> Transcript:
    """What is there so far; `covered_seconds` tells how much of the recording that is."""
    done = job.chunks.filter(status=ChunkStatus.DONE)
    covered = sum(end - start for start, end in done.values_list("start_sample", "end_sample"))
    rows = job.segments.select_related("chunk").order_by("chunk__index", "index")
    return Transcript(
        language=job.detected_language or job.language,
        segments=tuple(_segment(row) for row in rows),
        duration_seconds=job.duration_seconds,
        covered_seconds=covered / SAMPLE_RATE,
    )


def _segment(row: SegmentRow) -> Segment:
    words = tuple(Word(word["start"], word["end"], word["word"], word["probability"]) for word in row.words or ())
    return Segment(row.start_seconds, row.end_seconds, row.text, words)
