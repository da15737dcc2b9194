"""How fast a job goes: seconds of work for one second of audio, from what was measured and from nothing else.

A pause for heat is no work, and windows taken over from an earlier try were not read by this one. Rests at 70 °C and
more do count: a machine that is warm while it works goes at that pace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from transcribe.audio.pcm_format import SAMPLE_RATE
from transcribe.models import Chunk, Job
from transcribe.states import ChunkStatus, JobStatus

MEASURED_AUDIO_SECONDS = 30.0  # one window of Whisper: less says nothing about the next
REMEMBERED_CHUNKS = 100


@dataclass(frozen=True)
class Work:
    """Measured: `work_seconds` spent on `audio_seconds`."""

    audio_seconds: float
    work_seconds: float

    @property
    def pace(self) -> float | None:
        """Seconds of work for a second of audio; None when too little was measured."""
        if self.audio_seconds < MEASURED_AUDIO_SECONDS or self.work_seconds <= 0:
            return None
        return self.work_seconds / self.audio_seconds


def pace_of_model(model: str) -> float | None:
    """The median of its chunks: one in which the machine slept, or the clock was set, says nothing about the next."""
    recent = Chunk.objects.filter(job__model=model, status=ChunkStatus.DONE).order_by("-pk")[:REMEMBERED_CHUNKS]
    works = [_work_of(chunk) for chunk in recent]
    paces = [work.pace for work in works if work.pace is not None]
    return median(paces) if paces else work_sum(works).pace


def pace_for(job: Job, now: datetime, past: Callable[[str], float | None] = pace_of_model) -> float | None:
    """This job's own pace, else this machine's `past` pace for the model, else None."""
    own = work_of_job(job, now).pace
    return own if own is not None else past(job.model)


def work_of_job(job: Job, now: datetime) -> Work:
    """Finished chunks, and the part of the running one that has been read."""
    chunks = list(job.chunks.all())
    done = (_work_of(chunk) for chunk in chunks if chunk.status == ChunkStatus.DONE)
    running = (_work_begun(chunk, job.position_seconds, now) for chunk in chunks if _is_running(job, chunk))
    return work_sum([*done, *running])


def work_sum(works: Iterable[Work]) -> Work:
    every = list(works)
    return Work(sum(work.audio_seconds for work in every), sum(work.work_seconds for work in every))


def _is_running(job: Job, chunk: Chunk) -> bool:
    return job.status == JobStatus.RUNNING and chunk.status == ChunkStatus.RUNNING


def _work_of(chunk: Chunk) -> Work:
    if chunk.started_at is None or chunk.finished_at is None:
        return Work(0.0, 0.0)
    audio_seconds = (chunk.end_sample - chunk.start_sample) / SAMPLE_RATE
    return _measured(chunk, audio_seconds, chunk.started_at, chunk.finished_at)


def _work_begun(chunk: Chunk, position_seconds: float, now: datetime) -> Work:
    read_seconds = position_seconds - chunk.start_sample / SAMPLE_RATE
    if chunk.started_at is None or read_seconds <= 0:
        return Work(0.0, 0.0)
    return _measured(chunk, read_seconds, chunk.started_at, now)


def _measured(chunk: Chunk, audio_seconds: float, start: datetime, end: datetime) -> Work:
    work_seconds = (end - start).total_seconds() - chunk.paused_seconds
    if end < start:  # the clock was set back
        return Work(0.0, 0.0)
    return Work(max(0.0, audio_seconds - chunk.taken_over_seconds), max(0.0, work_seconds))
