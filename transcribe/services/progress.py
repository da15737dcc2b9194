"""What a run writes: chunks, checkpoints, the live line, the end. Every write is fenced by the attempt."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from django.db import DatabaseError, transaction
from django.utils import timezone

from transcribe.audio.pcm_format import SAMPLE_RATE
from transcribe.errors import JobFenced
from transcribe.models import Attempt, AttemptOutcome, Chunk, Job, Segment
from transcribe.options import DecodingOptions
from transcribe.services.tries import since_last_retry
from transcribe.states import WAITING, ChunkStatus, JobStatus

ENGINE_ID = "openai-whisper 20250625"  # part of the provenance: another version may write another text


def job_update(job: Job, **values: Any) -> None:
    """Write columns of a running job.

    Raises:
        JobFenced: another run owns the job now.
    """
    ours = Job.objects.filter(pk=job.pk, attempt=job.attempt, status=JobStatus.RUNNING)
    if ours.update(**values) != 1:
        raise JobFenced("another run has taken this job over")
    for name, value in values.items():
        setattr(job, name, value)


def attempt_require(job: Job) -> None:
    """Ask within the transaction that writes: SQLite lets nobody else write until its end.

    Raises:
        JobFenced: another run owns the job now.
    """
    if not Job.objects.filter(pk=job.pk, attempt=job.attempt, status=JobStatus.RUNNING).exists():
        raise JobFenced("another run has taken this job over")


def chunk_provenance(job: Job, span: tuple[int, int], model_sha256: str) -> str:
    """What a checkpoint is valid for: same audio, bounds, model, options and engine."""
    facts = {
        "audio": job.audio_sha256,
        "span": span,
        "model": model_sha256,
        "language": job.language,
        "options": DecodingOptions.from_mapping(job.options).to_json_dict(),
        "engine": ENGINE_ID,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def chunks_plan(job: Job, spans: Iterable[tuple[int, int]], model_sha256: str) -> list[Chunk]:
    """The job's chunks for `spans`. Checkpoints that are still valid stay; everything else starts anew."""
    wanted = {index: (span, chunk_provenance(job, span, model_sha256)) for index, span in enumerate(spans)}
    with transaction.atomic():
        job_update(job, activity="Chunks planned")
        kept = {chunk.index for chunk in job.chunks.all() if _is_valid(chunk, wanted)}
        job.chunks.exclude(index__in=kept).delete()
        Chunk.objects.bulk_create(
            Chunk(job=job, index=index, start_sample=span[0], end_sample=span[1], provenance=provenance)
            for index, (span, provenance) in wanted.items()
            if index not in kept
        )
    return list(job.chunks.all())


def _is_valid(chunk: Chunk, wanted: dict[int, tuple[tuple[int, int], str]]) -> bool:
    return chunk.provenance == wanted.get(chunk.index, (None, None))[1]


def chunk_start(job: Job, chunk: Chunk) -> None:
    with transaction.atomic():
        job_update(job, position_seconds=chunk.start_sample / SAMPLE_RATE, live_text="", activity="Reading speech")
        chunk.status = ChunkStatus.RUNNING
        chunk.attempts += 1
        chunk.started_at = timezone.now()
        chunk.paused_seconds = chunk.taken_over_seconds = 0.0
        chunk.save(update_fields=["status", "attempts", "started_at", "paused_seconds", "taken_over_seconds"])


def chunk_measure(chunk: Chunk, *, paused_seconds: float, taken_over_seconds: float) -> None:
    """Keep what must not count as work of this try, and as audio that it read; nothing is written when it is known."""
    if (paused_seconds, taken_over_seconds) != (chunk.paused_seconds, chunk.taken_over_seconds):
        with transaction.atomic():
            attempt_require(chunk.job)
            chunk.paused_seconds, chunk.taken_over_seconds = paused_seconds, taken_over_seconds
            chunk.save(update_fields=["paused_seconds", "taken_over_seconds"])


def chunk_commit(
    job: Job, chunk: Chunk, *, language: str, segments: list[dict[str, Any]], language_of_speech: bool = True
) -> None:
    """Make the chunk a checkpoint: its segments, its status and the job's position in one transaction.

    A language that was not heard in speech is not taken over for the chunks to come.
    """
    start = chunk.start_sample / SAMPLE_RATE
    end = chunk.end_sample / SAMPLE_RATE
    with transaction.atomic():
        detected = job.detected_language or (language if language_of_speech else "")
        job_update(job, position_seconds=end, live_text="", detected_language=detected)
        Segment.objects.filter(chunk=chunk).delete()
        Segment.objects.bulk_create(
            _segment(job, chunk, index, segment, start, end) for index, segment in enumerate(segments)
        )
        chunk.status = ChunkStatus.DONE
        chunk.language = language
        chunk.error = ""
        chunk.finished_at = timezone.now()
        chunk.save(update_fields=["status", "language", "error", "finished_at"])


def chunk_fail(chunk: Chunk, error: str) -> None:
    """`chunk` is one of the run's own job, as of every function here: its attempt is asked for."""
    with transaction.atomic():
        attempt_require(chunk.job)
        chunk.status = ChunkStatus.PENDING
        chunk.error = error
        chunk.save(update_fields=["status", "error"])


def _segment(job: Job, chunk: Chunk, index: int, values: dict[str, Any], start: float, end: float) -> Segment:
    """Whisper's segment moved to its true place; never outside its chunk (the last window is padded)."""

    def moved(seconds: float) -> float:
        return round(min(start + seconds, end), 3)

    words = values.get("words")
    return Segment(
        job=job,
        chunk=chunk,
        index=index,
        start_seconds=moved(values["start"]),
        end_seconds=moved(values["end"]),
        text=values["text"],
        words=words and [{**word, "start": moved(word["start"]), "end": moved(word["end"])} for word in words],
        avg_logprob=values.get("avg_logprob"),
        compression_ratio=values.get("compression_ratio"),
        no_speech_prob=values.get("no_speech_prob"),
        temperature=values.get("temperature"),
    )


def attempt_update(job: Job, **values: Any) -> None:
    Attempt.objects.filter(job=job, number=job.attempt).update(**values)


def job_leave(job: Job, status: JobStatus, reason: str, outcome: AttemptOutcome, **changes: Any) -> bool:
    """End this run of the job: its new status and the attempt's outcome in one transaction.

    Its process is gone by now. Where a person has asked meanwhile to cancel or to hold it, a job that would wait
    again, or be held, does what was asked.
    """
    before = job.status
    try:
        return _leave(job, status, reason, outcome, changes)
    except DatabaseError:
        job.status = before  # as the row still says, for the next try
        raise


def _leave(job: Job, status: JobStatus, reason: str, outcome: AttemptOutcome, changes: dict[str, Any]) -> bool:
    with transaction.atomic():
        status, reason, outcome = _as_asked(job, status, reason, outcome)
        if status == JobStatus.CANCELLED:
            changes = {"finished_at": timezone.now()}
        if status == JobStatus.PAUSED:
            changes = {"hold_requested": False}
        moved = job.move(status, reason, activity="", live_text="", **changes)
        if moved:  # otherwise another run has the job, and its chunk in hand
            attempt_update(job, ended_at=timezone.now(), outcome=outcome, reason=reason)
            Chunk.objects.filter(job=job, status=ChunkStatus.RUNNING).update(status=ChunkStatus.PENDING)
    return moved


def _as_asked(
    job: Job, status: JobStatus, reason: str, outcome: AttemptOutcome
) -> tuple[JobStatus, str, AttemptOutcome]:
    row = Job.objects.filter(pk=job.pk, attempt=job.attempt, status=JobStatus.RUNNING).first()
    if row is not None and status in {*WAITING, JobStatus.PAUSED}:
        if row.cancel_requested:
            return JobStatus.CANCELLED, f"{row.reason or 'cancelled'}; its process has ended", AttemptOutcome.CANCELLED
        if row.hold_requested:
            return JobStatus.PAUSED, row.reason, AttemptOutcome.HELD
    return status, reason, outcome


def job_end(job: Job, reason: str = "", *, attempt: AttemptOutcome | None = None) -> JobStatus:
    """End the job by what its chunks say: all done, some done, or none. `attempt`: how it ended, if otherwise."""
    done = job.chunks.filter(status=ChunkStatus.DONE).count()
    total = job.chunks.count()
    reason = reason or _quarantine_reason(job)
    changes = {}
    if total and done == total:
        status, outcome = JobStatus.SUCCEEDED, AttemptOutcome.SUCCEEDED
        changes = {"detected_language": job.detected_language or job.chunks.all()[0].language}
    elif done:
        status, outcome = JobStatus.INCOMPLETE, AttemptOutcome.INCOMPLETE
        reason = f"{done} of {total} chunks are done. {reason}".strip()
    else:
        status, outcome = JobStatus.FAILED, AttemptOutcome.FAILED
    job_leave(job, status, reason, attempt or outcome, finished_at=timezone.now(), **changes)
    return status


def _quarantine_reason(job: Job) -> str:
    """Why chunks were set aside, in the words of the first; empty when none was."""
    first = job.chunks.filter(status=ChunkStatus.QUARANTINED).first()
    return (
        "" if first is None else f"Chunk {first.index + 1} was set aside, having lost its process twice: {first.error}"
    )


def losses_while_loading(job: Job) -> int:
    """How many attempts in a row lost engine or decoder before they began a chunk, since a person last tried again."""
    begun = job.chunks.filter(started_at__isnull=False).order_by("started_at").last()
    lost = since_last_retry(job).filter(outcome__in=[AttemptOutcome.ENGINE_LOST, AttemptOutcome.NOT_PREPARED])
    if begun is not None:
        lost = lost.filter(started_at__gt=begun.started_at)
    return lost.count()
