"""What one run of a job does: fetch the model, lock, gate, engine, chunk after chunk, each a checkpoint."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from django.db import DatabaseError

from gate.core.manners import lower_priority
from transcribe.audio.pcm_format import SAMPLE_RATE
from transcribe.audio.prepare import Preparation, PreparedAudio
from transcribe.broken_lines import broken_lines
from transcribe.catalog import languages
from transcribe.conf import journal_path, journal_remove, work_dir
from transcribe.disk import recording_look
from transcribe.engine.protocol import Message, Progress, Text, Transcribe, Transcribed
from transcribe.errors import WorkerStopping
from transcribe.held import HeldFor
from transcribe.interruption import interruption_look
from transcribe.models import Chunk, Job
from transcribe.options import DecodingOptions
from transcribe.resolve import ResolvedModel, model_fetch, model_is_here, model_label
from transcribe.services.progress import (
    attempt_update,
    chunk_commit,
    chunk_measure,
    chunk_start,
    chunks_plan,
    job_update,
)
from transcribe.slot import EngineSlot
from transcribe.states import ChunkStatus
from transcribe.window_counts import WindowCounts

__all__ = ["JobRun", "RunControl", "engine_options"]

logger = logging.getLogger(__name__)

KEEP_HELD_SECONDS = 10.0  # how often the seconds held are written while they grow


class RunControl(Protocol):
    """What the caller of a run decides and wants to hear."""

    def stopping(self) -> bool:
        """Whether the service is being stopped."""

    def progress(self, job: Job) -> None:
        """Called about every second with the job as it stands."""


class JobRun:
    """The state of one run. `chunk` is the chunk in hand, so that a fault can be told to it."""

    def __init__(self, job: Job, slot: EngineSlot, control: RunControl) -> None:
        self.job = job
        self.slot = slot
        self.control = control
        self.chunk: Chunk | None = None
        self._windows = WindowCounts()
        self._unsaved: dict[str, object] = {}
        self._looked_at = 0.0
        self._free_activity: str | None = None  # what it does when it is not held
        self._held_before = slot.held.seconds()
        self._held_kept_at = 0.0
        self._paused_before = self._taken_over = 0.0  # when the chunk was begun; seconds of its audio

    def execute(self) -> None:
        """Read every chunk that is not a checkpoint yet.

        Raises:
            JobInterrupted, TranscribeError, AudioError: what `run_job` turns into a status.
        """
        try:
            self._execute()
        finally:
            self._keep_windows()
            self._keep_held()

    def _execute(self) -> None:
        model = self._fetch()
        self.slot.admit(self.job, model)
        self._say("Loading the model, preparing the audio")
        self.slot.beside = preparation = self._prepare()
        try:
            engine = self.slot.engine(self.job, model, watch=self._watch)
            prepared = self._wait_for(preparation)
        finally:
            preparation.kill()
            self.slot.beside = None
        attempt_update(self.job, engine_pid=engine.pid, log_name=engine.log.path.name)
        self._note_broken(prepared)
        chunks = chunks_plan(self.job, _bounds(prepared), model.sha256)
        waiting = [chunk for chunk in chunks if chunk.status == ChunkStatus.PENDING]
        for chunk in waiting:
            self.slot.admit_chunk(self.job, model, watch=self._watch)
            self._read_chunk(chunk, prepared.pcm_path, self.slot.engine(self.job, model, watch=self._watch).transcribe)

    def _read_chunk(self, chunk: Chunk, pcm_path: Path, transcribe: Callable[..., Transcribed]) -> None:
        self.chunk = chunk
        chunk_start(self.job, chunk)
        self._free_activity = None  # the chunk's start has told a new one
        self._paused_before, self._taken_over = self.slot.held.seconds()[HeldFor.HEAT_PAUSE], 0.0
        options = DecodingOptions.from_mapping(self.job.options)
        request = Transcribe(
            pcm_path=str(pcm_path),
            start_sample=chunk.start_sample,
            end_sample=chunk.end_sample,
            language=self.job.language or self.job.detected_language or None,
            options=engine_options(options),
            temperatures=list(options.temperatures()),
            journal_path=str(journal_path(self.job.pk, chunk.index)),
            provenance=chunk.provenance,
        )
        result = transcribe(request, on_message=self._hear, watch=self._watch)
        self._windows.hear(chunk.index, result)
        self._unsaved.clear()
        self._keep_measure(chunk)
        self._note_language(result)
        chunk_commit(
            self.job,
            chunk,
            language=result.language,
            segments=result.segments,
            language_of_speech=result.language_of_speech,
        )
        journal_remove(self.job.pk, chunk.index)
        attempt_update(self.job, peak_bytes=result.peak_bytes, slowest_window_seconds=self.slot.slowest_window_seconds)
        self.chunk = None
        self.control.progress(self.job)

    def _hear(self, message: Message) -> None:
        """Keep what the engine tells for the next write."""
        assert self.chunk is not None  # noqa: S101 - the engine speaks only about a chunk
        start = self.chunk.start_sample / SAMPLE_RATE
        if isinstance(message, Progress):
            end = self.chunk.end_sample / SAMPLE_RATE
            self._unsaved["position_seconds"] = min(start + message.done_seconds, end)
            self._windows.hear(self.chunk.index, message)
            if not message.decoded_windows:
                self._taken_over = message.done_seconds
        elif isinstance(message, Text):
            before = str(self._unsaved.get("live_text", self.job.live_text))
            self._unsaved["live_text"] = f"{before}\n{message.text.strip()}".strip()

    def _watch(self) -> None:
        """About every second: is the service stopping, or must this job end now? Then save what is new.

        Raises:
            WorkerStopping, MachineEnded, JobCancelled, JobPutBack, JobFenced
        """
        if self.control.stopping():
            raise WorkerStopping("The service was stopped; what it has read is kept.")
        self.slot.require_not_ended()
        now = time.monotonic()
        if now - self._looked_at < 1.0:
            return
        self._looked_at = now
        self.slot.show_life()
        try:
            self._look(now)
        except DatabaseError as problem:  # locked for long by another program: the next second asks again
            logger.warning("job %s goes on, its state cannot be read or written (%s)", self.job.pk, problem)

    def _look(self, now: float) -> None:
        interruption_look(self.job)
        self._show_held(now)
        if self._unsaved:
            job_update(self.job, **self._unsaved)
            self._unsaved.clear()
            self._keep_windows()
            if self.chunk is not None:
                self._keep_measure(self.chunk)
        self.control.progress(self.job)

    def _show_held(self, now: float) -> None:
        """Tell in the activity that the engine is held, and afterwards what it did before."""
        if held_text := self.slot.held_text:
            if self._free_activity is None:
                self._free_activity = self.job.activity
            if held_text != self.job.activity:
                self._unsaved["activity"] = held_text
            if now - self._held_kept_at >= KEEP_HELD_SECONDS:
                self._held_kept_at = now
                self._keep_held()
        elif self._free_activity is not None:
            self._unsaved["activity"], self._free_activity = self._free_activity, None

    def _keep_held(self) -> None:
        """Write for how long this run's engine was held so far."""
        now = self.slot.held.seconds()
        held = {kind.value: round(now[kind] - self._held_before[kind], 1) for kind in now}
        if not any(held.values()):
            return
        try:
            attempt_update(self.job, held_seconds={kind: seconds for kind, seconds in held.items() if seconds})
        except DatabaseError as problem:
            logger.warning("the seconds that job %s was held cannot be written (%s)", self.job.pk, problem)

    def _keep_measure(self, chunk: Chunk) -> None:
        paused_seconds = self.slot.held.seconds()[HeldFor.HEAT_PAUSE] - self._paused_before
        chunk_measure(chunk, paused_seconds=round(paused_seconds, 1), taken_over_seconds=round(self._taken_over, 1))

    def _keep_windows(self) -> None:
        """Write how many windows this run decoded and took over so far."""
        try:
            attempt_update(self.job, **self._windows.columns())
        except DatabaseError as problem:
            logger.warning("the windows that job %s decoded cannot be written (%s)", self.job.pk, problem)

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
        recording = Path(self.job.audio.path)
        recording_look(recording)
        preparation = Preparation(
            recording,
            directory / "audio.pcm",
            display_name=self.job.original_name,
            expected_seconds=self.job.duration_seconds,
            sha256=self.job.audio_sha256,
        )
        lower_priority(preparation.pid)
        return preparation

    def _wait_for(self, preparation: Preparation) -> PreparedAudio:
        return preparation.wait(should_stop=self._keeps_on)

    def _note_broken(self, prepared: PreparedAudio) -> None:
        """Tell in the job which stretches could not be decoded, and what its true length is."""
        notes = [*self.job.note.splitlines(), *prepared.notes, *broken_lines(prepared.broken)]
        kept = "\n".join(line for line in dict.fromkeys(notes) if line)
        job_update(self.job, note=kept, duration_seconds=prepared.duration_seconds)

    def _note_language(self, result: Transcribed) -> None:
        """Tell in the job that the text may be in a wrong language."""
        if result.segments and not result.language_is_sure:
            notes = dict.fromkeys([*self.job.note.splitlines(), _unsure_text(result)])
            job_update(self.job, note="\n".join(notes))

    def _say(self, activity: str) -> None:
        self._free_activity = None
        job_update(self.job, activity=activity)
        self.control.progress(self.job)


def _unsure_text(result: Transcribed) -> str:
    name = languages().get(result.language, result.language).title()
    sure = "" if result.language_probability is None else f" ({100 * result.language_probability:.0f} % sure)"
    return f"The language was taken to be {name}, but it may be another{sure}. If so, choose it and transcribe again."


def _bounds(prepared: PreparedAudio) -> list[tuple[int, int]]:
    return [(span.start_sample, span.end_sample) for span in prepared.spans]


def engine_options(options: DecodingOptions) -> dict[str, object]:
    """The keyword arguments of `whisper.transcribe`; the temperatures go separately."""
    values = options.to_json_dict()
    del values["temperature"], values["temperature_increment_on_fallback"]
    return values
