"""One job from claim to end: fetch the model, lock, gate, engine, chunk after chunk, each a checkpoint.

Used by the worker (tasks.py) and by `manage.py transcribe`; both run this same code.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.utils import timezone

from transcribe.audio.errors import AudioError
from transcribe.audio.pcm_format import SAMPLE_RATE
from transcribe.audio.prepare import BrokenStretch, Preparation, PreparedAudio
from transcribe.conf import work_dir, work_remove
from transcribe.engine.errors import ProtocolError
from transcribe.engine.protocol import Message, Progress, Text, Transcribe, Transcribed
from transcribe.errors import (
    EngineLost,
    JobBlocked,
    JobCancelled,
    JobFenced,
    JobPutBack,
    TranscribeError,
    WorkerStopping,
)
from transcribe.interruption import interruption_look
from transcribe.models import AttemptOutcome, Chunk, Job
from transcribe.options import DecodingOptions
from transcribe.resolve import ResolvedModel, model_fetch, model_is_here, model_label
from transcribe.services.progress import (
    attempt_update,
    chunk_commit,
    chunk_fail,
    chunk_lose,
    chunk_start,
    chunks_plan,
    job_end,
    job_leave,
    job_update,
    losses_while_loading,
)
from transcribe.slot import EngineSlot
from transcribe.states import ChunkStatus, JobStatus

logger = logging.getLogger(__name__)

LOSSES_ALLOWED = 2  # docs/protocol.md: the same chunk killing its process twice is quarantined


class RunControl(Protocol):
    """What the caller of a run decides and wants to hear."""

    def stopping(self) -> bool:
        """Whether the service is being stopped."""

    def progress(self, job: Job) -> None:
        """Called about every second with the job as it stands."""


def run_job(job: Job, slot: EngineSlot, control: RunControl) -> JobStatus:
    """Run a claimed job until it ends, waits again, or belongs to another run. Never raises for the job's faults."""
    run = _JobRun(job, slot, control)
    try:
        run.execute()
        return job_end(job)
    except JobBlocked as blocked:
        slot.kill()
        next_try = timezone.now() + timedelta(seconds=settings.GATE_RETRY_SECONDS)
        job_leave(job, JobStatus.BLOCKED, blocked.reason, AttemptOutcome.BLOCKED, next_try_at=next_try)
    except JobCancelled as cancelled:
        slot.kill()
        job_leave(job, JobStatus.CANCELLED, cancelled.reason, AttemptOutcome.CANCELLED, finished_at=timezone.now())
    except JobPutBack as back:
        slot.kill()
        job_leave(job, back.status, back.reason, back.outcome)
    except WorkerStopping as stopping:
        slot.kill()
        job_leave(job, JobStatus.QUEUED, stopping.reason, AttemptOutcome.STOPPED)
    except JobFenced:
        slot.kill()
        logger.warning("job %s belongs to another run now; this one ends", job.pk)
    except (EngineLost, ProtocolError) as lost:
        slot.kill()
        _after_loss(job, run.chunk, lost)
    except (TranscribeError, AudioError) as error:
        if run.chunk is not None:
            chunk_fail(run.chunk, ChunkStatus.PENDING, str(error))
        return job_end(job, str(error))
    except Exception:
        logger.exception("job %s ended by a fault of the panel", job.pk)
        slot.kill()
        return job_end(job, "The panel itself made an error with this job; its log says which. Retry may help.")
    finally:
        if job.is_ended:
            work_remove(job.pk)
    return JobStatus(job.status)


def _after_loss(job: Job, chunk: Chunk | None, lost: EngineLost | ProtocolError) -> None:
    """The engine died. Its chunk is tried again, and set aside when it has killed its process twice."""
    code, tail = (lost.exit_code, lost.output_tail) if isinstance(lost, EngineLost) else (None, "")
    attempt_update(job, exit_code=code, output_tail=tail)
    if chunk is None:
        losses = losses_while_loading(job) + 1
        if losses >= LOSSES_ALLOWED:
            job_end(job, f"{lost} This happened {losses} times while the model was loading.")
            return
    else:
        again = chunk.engine_losses + 1 < LOSSES_ALLOWED
        chunk_lose(chunk, ChunkStatus.PENDING if again else ChunkStatus.QUARANTINED, str(lost))
        if not job.chunks.exclude(status__in=[ChunkStatus.DONE, ChunkStatus.QUARANTINED]).exists():
            job_end(job)  # nothing is left to read: another run would load the model for nothing
            return
    job_leave(job, JobStatus.QUEUED, f"{lost} It is tried again; finished chunks are kept.", AttemptOutcome.ENGINE_LOST)


class _JobRun:
    """The state of one run. `chunk` is the chunk in hand, so that a fault can be told to it."""

    def __init__(self, job: Job, slot: EngineSlot, control: RunControl) -> None:
        self.job = job
        self.slot = slot
        self.control = control
        self.chunk: Chunk | None = None
        self._unsaved: dict[str, object] = {}
        self._looked_at = 0.0

    def execute(self) -> None:
        """Read every chunk that is not a checkpoint yet.

        Raises:
            JobInterrupted, TranscribeError, AudioError: what `run_job` turns into a status.
        """
        model = self._fetch()
        self.slot.admit(self.job, model, purpose="start")
        self._say("Loading the model, preparing the audio")
        preparation = self._prepare()
        try:
            engine = self.slot.engine(self.job, model, watch=self._watch)
            prepared = self._wait_for(preparation)
        finally:
            preparation.kill()
        attempt_update(self.job, engine_pid=engine.pid, log_name=engine.log_path.name)
        self._note_broken(prepared)
        chunks = chunks_plan(self.job, _bounds(prepared), model.sha256)
        waiting = [chunk for chunk in chunks if chunk.status == ChunkStatus.PENDING]
        for number, chunk in enumerate(waiting):
            if number:
                self.slot.admit(self.job, model, purpose="chunk")
            self._read_chunk(chunk, prepared.pcm_path, self.slot.engine(self.job, model, watch=self._watch).transcribe)

    def _read_chunk(self, chunk: Chunk, pcm_path: Path, transcribe: Callable[..., Transcribed]) -> None:
        self.chunk = chunk
        chunk_start(self.job, chunk)
        options = DecodingOptions.from_mapping(self.job.options)
        request = Transcribe(
            pcm_path=str(pcm_path),
            start_sample=chunk.start_sample,
            end_sample=chunk.end_sample,
            language=self.job.language or self.job.detected_language or None,
            options=engine_options(options),
            temperatures=list(options.temperatures()),
        )
        result = transcribe(request, on_message=self._hear, watch=self._watch)
        self._unsaved.clear()
        chunk_commit(self.job, chunk, language=result.language, segments=result.segments)
        attempt_update(self.job, peak_bytes=result.peak_bytes)
        self.chunk = None
        self.control.progress(self.job)

    def _hear(self, message: Message) -> None:
        """Keep what the engine tells for the next write."""
        assert self.chunk is not None  # noqa: S101 - the engine speaks only about a chunk
        start = self.chunk.start_sample / SAMPLE_RATE
        if isinstance(message, Progress):
            end = self.chunk.end_sample / SAMPLE_RATE
            self._unsaved["position_seconds"] = min(start + message.done_seconds, end)
        elif isinstance(message, Text):
            before = str(self._unsaved.get("live_text", self.job.live_text))
            self._unsaved["live_text"] = f"{before}\n{message.text.strip()}".strip()

    def _watch(self) -> None:
        """About every second: is the service stopping, or must this job end now? Then save what is new.

        Raises:
            WorkerStopping, JobCancelled, JobPutBack, JobFenced
        """
        if self.control.stopping():
            raise WorkerStopping("The service was stopped; finished chunks are kept.")
        now = time.monotonic()
        if now - self._looked_at < 1.0:
            return
        self._looked_at = now
        self.slot.show_life()
        interruption_look(self.job)
        if self._unsaved:
            job_update(self.job, **self._unsaved)
            self._unsaved.clear()
        self.control.progress(self.job)

    def _keeps_on(self) -> bool:
        """For callers that ask whether to stop: never, but `_watch` raises when the run must end."""
        self._watch()
        return False

    def _fetch(self) -> ResolvedModel:
        """The model's file; a download shows its progress in the job's activity."""
        said_at = 0.0

        def on_progress(done_bytes: int, total_bytes: int | None) -> None:
            nonlocal said_at
            if time.monotonic() - said_at >= 1.0:
                said_at = time.monotonic()
                part = f"{100 * done_bytes / total_bytes:.0f} %" if total_bytes else f"{done_bytes >> 20} MiB"
                self._say(f"Fetching the model {self.job.model}: {part}")
            self._watch()

        self._say(f"Looking for the model {model_label(self.job.model)}")
        if not model_is_here(self.job.model):
            self.slot.close()  # a download may take hours: neither lock nor memory is held meanwhile
        return model_fetch(self.job.model, on_progress=on_progress, should_stop=self._keeps_on)

    def _prepare(self) -> Preparation:
        directory = work_dir(self.job.pk)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Preparation(
            Path(self.job.audio.path),
            directory / "audio.pcm",
            display_name=self.job.original_name,
            expected_seconds=self.job.duration_seconds,
        )

    def _wait_for(self, preparation: Preparation) -> PreparedAudio:
        return preparation.wait(should_stop=self._keeps_on)

    def _note_broken(self, prepared: PreparedAudio) -> None:
        """Tell in the job which stretches could not be decoded, and what its true length is."""
        lines = [_broken_text(stretch) for stretch in prepared.broken]
        notes = [line for line in [*self.job.note.splitlines(), *lines] if line]
        job_update(self.job, note="\n".join(dict.fromkeys(notes)), duration_seconds=prepared.duration_seconds)

    def _say(self, activity: str) -> None:
        job_update(self.job, activity=activity)
        self.control.progress(self.job)


def _broken_text(stretch: BrokenStretch) -> str:
    if stretch.end_seconds <= stretch.start_seconds:
        return f"At {stretch.start_seconds:.1f} s something is wrong with the file: {stretch.reason}."
    return (
        f"No sound could be read from {stretch.start_seconds:.1f} s to {stretch.end_seconds:.1f} s "
        f"({stretch.reason}); silence stands there."
    )


def _bounds(prepared: PreparedAudio) -> list[tuple[int, int]]:
    return [(span.start_sample, span.end_sample) for span in prepared.spans]


def engine_options(options: DecodingOptions) -> dict[str, object]:
    """The keyword arguments of `whisper.transcribe`; the temperatures go separately."""
    values = options.to_json_dict()
    del values["temperature"], values["temperature_increment_on_fallback"]
    return values
