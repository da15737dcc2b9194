"""What a person does with a job: submit, cancel, retry, delete."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.files.storage import default_storage
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db import transaction
from django.utils import timezone

from transcribe.abilities import abilities_check
from transcribe.audio.probe import AudioInfo, probe_file
from transcribe.conf import work_remove
from transcribe.models import Chunk, Job, JobEvent, JobSource
from transcribe.names import clean_name, printable, stem_of
from transcribe.options import DecodingOptions
from transcribe.resolve import model_requirement
from transcribe.services.order import queued_anew
from transcribe.services.wake import queue_wake
from transcribe.states import OWNER_WORKER, ChunkStatus, JobStatus
from transcribe.uploads import upload_keep

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """The new job, and the newest earlier job with the same bytes, if there is one."""

    job: Job
    duplicate_of: Job | None


def job_submit(
    upload: TemporaryUploadedFile,
    *,
    title: str,
    model: str,
    language: str,
    options: DecodingOptions,
    user: User | AnonymousUser | None,
    source: JobSource = JobSource.PANEL,
    owner: str = OWNER_WORKER,
) -> Submitted:
    """Make a job of an uploaded file that carries `sha256`; the wake-up is enqueued in the same transaction.

    Raises:
        AudioError: the file cannot be transcribed; nothing is kept.
        UploadRefused: it cannot be stored; nothing is kept.
        ModelUnknown: there is no such model.
        OptionsInvalid: the model does not know the language or the task.
    """
    name = clean_name(upload.name or "")
    model_requirement(model)
    abilities_check(model, language=language, task=options.task)
    info = probe_file(Path(upload.temporary_file_path()), display_name=name)
    sha256: str = upload.sha256  # type: ignore[attr-defined]
    duplicate = Job.objects.filter(audio_sha256=sha256).first()
    size_bytes = upload.size or 0
    stored = upload_keep(upload)
    try:
        with transaction.atomic():
            job = Job.objects.create(
                title=(printable(title) or stem_of(name))[:200],
                original_name=name,
                audio=stored,
                audio_sha256=sha256,
                audio_bytes=size_bytes,
                duration_seconds=info.duration_seconds,
                clock_start_seconds=info.clock_start_seconds,
                audio_format=_audio_format(info),
                note="\n".join(info.warnings),
                model=model,
                language=language,
                options=options.changed(),
                owner=owner,
                source=source,
                submitted_by=user if user is not None and user.is_authenticated else None,
            )
            JobEvent.objects.create(job=job, new=JobStatus.QUEUED, reason="submitted")
            if owner == OWNER_WORKER:
                queue_wake()
    except BaseException:
        default_storage.delete(stored)
        raise
    return Submitted(job=job, duplicate_of=duplicate)


def job_cancel(job: Job, user: User | AnonymousUser | None) -> bool:
    """End a job. A waiting one ends at once; a running one when its process is proven gone.

    Returns False when there is nothing to cancel any more.
    """
    reason = f"cancelled by {_who(user)}"
    for _ in range(2):  # the job may be claimed between our look and our update
        if job.status in {JobStatus.QUEUED, JobStatus.BLOCKED, JobStatus.PAUSED} and job.move(
            JobStatus.CANCELLED, reason, finished_at=timezone.now()
        ):
            work_remove(job.pk, keep_journals=True)
            return True
        job.refresh_from_db()
        if job.status == JobStatus.RUNNING:
            running = Job.objects.filter(pk=job.pk, status=JobStatus.RUNNING, attempt=job.attempt)
            return running.update(cancel_requested=True, activity="Stopping …", reason=reason) == 1
    return False


def job_retry(job: Job, user: User | AnonymousUser | None) -> bool:
    """Queue an ended job again; its checkpoints stay, quarantined chunks get another chance."""
    if not job.is_retryable:  # what waits or runs is not queued a second time
        return False
    with transaction.atomic():
        moved = job.move(
            JobStatus.QUEUED,
            f"retried by {_who(user)}",
            **queued_anew(),
        )
        if moved:
            Chunk.objects.filter(job=job).exclude(status=ChunkStatus.DONE).update(
                status=ChunkStatus.PENDING, attempts=0, engine_losses=0, lost_at_window=None, error=""
            )
            queue_wake()
    return moved


def job_delete(job: Job, user: User | AnonymousUser | None) -> bool:
    """Remove an ended job with its recording; False while it still waits or runs."""
    stored = job.audio.name
    with transaction.atomic():
        ended = Job.objects.filter(pk=job.pk, status=job.status)
        if not job.is_ended or not ended.exists():
            return False
        ended.delete()
    if stored:
        default_storage.delete(stored)
    work_remove(job.pk)
    return True


def _who(user: User | AnonymousUser | None) -> str:
    return user.get_username() if user is not None and user.is_authenticated else "the command line"


def _audio_format(info: AudioInfo) -> str:
    channels = {1: "mono", 2: "stereo"}.get(info.channels, f"{info.channels} channels")
    return f"{info.codec}, {info.sample_rate / 1000:g} kHz, {channels}, {info.container}"[:80]


__all__ = ["Submitted", "job_cancel", "job_delete", "job_retry", "job_submit"]
