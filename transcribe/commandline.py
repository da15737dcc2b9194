"""`manage.py transcribe`: files through the same jobs, lock, gate and engine as the panel's, in this process."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.utils import timezone

from transcribe.audio.errors import AudioError, shown_name
from transcribe.engine_logs import log_path
from transcribe.errors import TranscribeError
from transcribe.models import Job, JobSource
from transcribe.names import stem_of
from transcribe.options import DecodingOptions
from transcribe.results import transcript_of
from transcribe.runner import run_job
from transcribe.services.claims import command_owner, job_claim_this
from transcribe.services.jobs import job_cancel, job_delete, job_submit
from transcribe.slot import EngineSlot
from transcribe.states import JobStatus
from transcribe.transcript import FORMATS, Format, render
from transcribe.uploads import local_upload

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_BLOCKED = os.EX_TEMPFAIL  # 75: try again later
EXIT_SIGNAL = 128  # plus the signal's number, as shells have it

LOOK_SECONDS = 0.2

Say = Callable[[str], None]


class JobTaken(Exception):
    """Somebody in the panel deleted the command's job, or gave it to the worker. The text says which."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the command line asked for."""

    files: tuple[Path, ...]
    model: str
    language: str
    options: DecodingOptions
    output_dir: Path
    formats: tuple[Format, ...]
    wait: bool


@dataclass
class CommandControl:
    """Stops at the first SIGINT or SIGTERM; tells the progress to `show`. Ctrl-Z is not followed: the engine lives in
    a session of its own, and would work on with nobody to watch the machine.
    """

    show: Callable[[Job], None]
    signal_number: int = field(default=0)

    def stopping(self) -> bool:
        return self.signal_number != 0

    def progress(self, job: Job) -> None:
        self.show(job)

    @contextmanager
    def listening(self) -> Iterator[None]:
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(number, self._remember) for number in numbers]
        before.append(signal.signal(signal.SIGTSTP, self._go_on))
        try:
            yield
        finally:
            for number, handler in zip([*numbers, signal.SIGTSTP], before, strict=True):
                signal.signal(number, handler)

    def _go_on(self, *_: object) -> None:
        """A handler, not SIG_IGN: what is ignored stays so in every program that is started."""

    def _remember(self, number: int, _: object) -> None:
        self.signal_number = number


class Notes:
    """Says each of a job's notes once: what the first look at the file found, and what decoding it found."""

    def __init__(self, name: str, say: Say) -> None:
        self._name = name
        self._say = say
        self._said: set[str] = set()

    def say_new(self, job: Job) -> None:
        for line in job.note.splitlines():
            if line and line not in self._said:
                self._said.add(line)
                self._say(f"{self._name}: note: {line}")


def run_order(order: Order, control: CommandControl, say: Say) -> int:
    """Transcribe every file of the order, one after another; returns the exit code.

    A file that fails does not stop the others. With `wait` off, the first no of the gate ends the order.
    """
    worst = EXIT_DONE
    slot = EngineSlot()
    with control.listening():
        try:
            for file in order.files:
                code = _run_file(file, order, slot, control, say)
                if control.stopping():
                    return EXIT_SIGNAL + control.signal_number
                if code == EXIT_BLOCKED:
                    return code
                worst = max(worst, code)
        finally:
            slot.close()
    return worst


def _run_file(file: Path, order: Order, slot: EngineSlot, control: CommandControl, say: Say) -> int:
    try:
        job = _submit(file, order)
    except (AudioError, TranscribeError) as error:
        say(str(error))
        return EXIT_FAILED
    except OSError as error:
        say(f"{file}: {error.strerror or error}. Check the path and its permissions.")
        return EXIT_FAILED
    notes = Notes(shown_name(job.original_name), say)
    notes.say_new(job)
    try:
        status = _run_until_ended(job, order, slot, control, say)
    except JobTaken as taken:
        say(f"{file.name}: {taken}.")
        return EXIT_FAILED
    notes.say_new(job)
    if status == JobStatus.BLOCKED:
        return EXIT_BLOCKED
    if status == JobStatus.CANCELLED:
        stopped = f"stopped; job {job.pk} is cancelled, what it has read is kept for a retry in the panel"
        say(f"{file.name}: {stopped if control.stopping() else job.reason}")
        return EXIT_FAILED
    if status == JobStatus.FAILED:
        say(f"{file.name}: failed. {job.reason}")
        _say_log(job, file, say)
        return EXIT_FAILED
    try:
        for path in _write(job, file, order):
            say(f"{file.name}: wrote {path}")
    except OSError as error:
        say(
            f"{file.name}: the transcript could not be written to {order.output_dir}: {error.strerror or error}. "
            f"It is kept as job {job.pk} in the panel; download it there, or free the way and transcribe again."
        )
        return EXIT_FAILED
    if status == JobStatus.INCOMPLETE:
        say(f"{file.name}: incomplete. {job.reason}")
        _say_log(job, file, say)
        return EXIT_FAILED
    return EXIT_DONE


def _say_log(job: Job, file: Path, say: Say) -> None:
    attempt = job.attempts.last()
    path = None if attempt is None else log_path(attempt)
    if path is not None:
        say(f"{file.name}: what the engine wrote is in {path}")


def _submit(file: Path, order: Order) -> Job:
    with local_upload(file) as upload:
        return job_submit(
            upload,
            title="",
            model=order.model,
            language=order.language,
            options=order.options,
            user=None,
            source=JobSource.COMMAND,
            owner=command_owner(os.getpid()),
        ).job


def _run_until_ended(job: Job, order: Order, slot: EngineSlot, control: CommandControl, say: Say) -> JobStatus:
    """Run, and run again after a no of the gate or a lost engine, until the job has ended.

    With `wait` off the first no cancels the job, and BLOCKED is returned.
    """
    said = ""
    while True:
        if control.stopping():
            job_cancel(job, None)
        elif job_claim_this(job):
            run_job(job, slot, control)
        _require_ours(job)
        if job.is_ended:
            return JobStatus(job.status)
        if job.status == JobStatus.PAUSED and job.reason != said:
            said = job.reason
            say(f"waiting: {said}; release it in the panel")
        if job.status == JobStatus.BLOCKED:
            if job.reason != said:
                said = job.reason
                say(f"waiting: {said}" if order.wait else said)
            if not order.wait:
                job_cancel(job, None)
                if not job.segments.exists():
                    job_delete(job, None)  # whoever asks again brings the file again
                return JobStatus.BLOCKED
        _sleep_until_due(job, control)


def _sleep_until_due(job: Job, control: CommandControl) -> None:
    """Until the next try, a signal, or a change of the job by somebody else."""
    status, due = job.status, job.next_try_at or timezone.now()
    time.sleep(LOOK_SECONDS)
    while not control.stopping() and job.status == status and timezone.now() < due:
        time.sleep(LOOK_SECONDS)
        _require_ours(job)


def _require_ours(job: Job) -> None:
    """Look at the job again.

    Raises:
        JobTaken: it was deleted, or handed to the worker by a retry in the panel.
    """
    try:
        job.refresh_from_db()
    except Job.DoesNotExist:
        raise JobTaken("its job was deleted in the panel") from None
    if not job.is_ended and job.owner != command_owner(os.getpid()):
        raise JobTaken(f"its job {job.pk} now runs in the panel; its transcript will be there")


def _write(job: Job, file: Path, order: Order) -> list[Path]:
    """Write the transcript in every format asked for, each file whole or not at all."""
    transcript = transcript_of(job)
    mark = "" if job.status == JobStatus.SUCCEEDED else ".incomplete"
    order.output_dir.mkdir(parents=True, exist_ok=True)
    written = []
    for format_name in order.formats:
        path = order.output_dir / f"{stem_of(file.name)}{mark}.{format_name}"
        write_whole(path, render(transcript, format_name))
        written.append(path)
    return written


def write_whole(path: Path, text: str) -> None:
    """Temporary file, fsync, rename: a reader never sees half a file."""
    temporary = path.with_name(f".j5a-{os.getpid()}.part")  # not from the name, which may be as long as names can be
    try:
        with temporary.open("w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def formats_of(word: str) -> tuple[Format, ...]:
    """whisper's --output_format: one of the five, or all."""
    return FORMATS if word == "all" else tuple(name for name in FORMATS if name == word)
