"""A chunk whose process ended unexpectedly: tried again, or set aside, so that the queue goes on.

Source: docs/protocol.md, "The same chunk killing its process twice is quarantined".
"""

from __future__ import annotations

from django.db import transaction

from transcribe.conf import journal_path
from transcribe.engine.journal import kept_values
from transcribe.errors import JobFenced
from transcribe.models import Chunk, Job
from transcribe.services.progress import attempt_require
from transcribe.states import ChunkStatus, JobStatus

__all__ = ["LOSSES_ALLOWED", "chunk_lose", "chunk_lose_run", "is_all_read"]

LOSSES_ALLOWED = 2
RUN_LOST = "The process that ran the job, or the whole machine, ended here, no window further than the time before."


def chunk_lose(chunk: Chunk, error: str) -> bool:
    """Its engine ended; whether it is set aside."""
    chunk.engine_losses += 1
    return _lose(chunk, error, error, is_too_often=chunk.engine_losses >= LOSSES_ALLOWED)


def chunk_lose_run(job: Job) -> Chunk | None:
    """The worker, or the machine, ended while a chunk was in hand; the chunk, if it is set aside.

    That may have nothing to do with the chunk, so it is blamed only where it got no further than the time before.
    """
    chunk = job.chunks.filter(status=ChunkStatus.RUNNING).first()
    if job.status != JobStatus.RUNNING or chunk is None:
        return None
    try:
        return chunk if _lose(chunk, "", RUN_LOST, is_too_often=False) else None
    except JobFenced:  # another run took it meanwhile: there is nothing to take back
        return None


def is_all_read(job: Job) -> bool:
    """Whether no chunk is left that could be read: another run would load the model for nothing."""
    return not job.chunks.exclude(status__in=[ChunkStatus.DONE, ChunkStatus.QUARANTINED]).exists()


def _lose(chunk: Chunk, pending_error: str, last_error: str, *, is_too_often: bool) -> bool:
    kept = _windows_kept(chunk)
    with transaction.atomic():
        attempt_require(chunk.job)
        return _lose_write(chunk, kept, pending_error, last_error, is_too_often=is_too_often)


def _lose_write(chunk: Chunk, kept: int, pending_error: str, last_error: str, *, is_too_often: bool) -> bool:
    is_set_aside = is_too_often or chunk.lost_at_window == kept
    chunk.lost_at_window = kept
    chunk.status = ChunkStatus.QUARANTINED if is_set_aside else ChunkStatus.PENDING
    chunk.error = last_error if is_set_aside else pending_error
    chunk.save(update_fields=["status", "error", "engine_losses", "lost_at_window"])
    return is_set_aside


def _windows_kept(chunk: Chunk) -> int:
    """Results at the lowest temperature: each begins a window. Those at higher ones and word times go on with it."""
    values = kept_values(journal_path(chunk.job_id, chunk.index))
    temperatures = [value["temperature"] for value in values if isinstance(value, dict) and "temperature" in value]
    return temperatures.count(min(temperatures)) if temperatures else 0
