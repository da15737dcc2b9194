"""Errors of the transcription app.

TranscribeError            a job cannot go on; `message` is for people, `permanent` says a retry cannot help
├── ModelUnavailable       no weights: where to put the file and what its hash must be
│   └── NoRoomForModel     they do not fit on the disk as it is now
├── ModelUnknown           no such model or checkpoint
├── OptionsInvalid         a decoding option whisper would not take
├── UploadRefused          the file cannot become a job
├── EngineFailed           the engine answered with an error that asking again cannot help
└── EngineLost             the engine process ended without an answer (exit code or signal, tail of its output)

JobInterrupted             not an error: the run stops here for a reason that is no fault of the job
├── JobBlocked             the gate said no (carries the verdict's reason)
│   └── JobPressed         it was not asked: all programs wait for memory, an engine would be ended at once
├── JobCancelled           a person asked for it
├── MachineEnded           the watch ended the engine for the machine's sake: heat, memory
├── JobPutBack             it waits again: held, the queue paused, or the hours are over (carries status and outcome)
├── JobFenced              another run owns the job now
└── WorkerStopping         the service is being stopped
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transcribe.models import AttemptOutcome
    from transcribe.states import JobStatus


class TranscribeError(Exception):
    def __init__(self, message: str, *, permanent: bool = True) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent


class ModelUnavailable(TranscribeError):
    pass


class NoRoomForModel(ModelUnavailable):
    pass


class ModelUnknown(TranscribeError):
    pass


class OptionsInvalid(TranscribeError):
    def __init__(self, message: str, *, option: str) -> None:
        super().__init__(message)
        self.option = option


class UploadRefused(TranscribeError):
    def __init__(self, message: str, *, cause: str, hint: str = "") -> None:
        super().__init__(message)
        self.cause = cause
        self.hint = hint


class EngineFailed(TranscribeError):
    pass


class EngineLost(TranscribeError):
    """`hung_after_seconds`: it lived, and was ended after so long a silence. `is_oom`: the kernel, for memory."""

    def __init__(
        self,
        message: str,
        *,
        exit_code: int | None,
        output_tail: str,
        hung_after_seconds: float | None = None,
        is_oom: bool = False,
    ) -> None:
        super().__init__(message, permanent=False)
        self.hung_after_seconds = hung_after_seconds
        self.is_oom = is_oom
        self.exit_code = exit_code
        self.output_tail = output_tail


class JobInterrupted(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class JobBlocked(JobInterrupted):
    pass


class JobPressed(JobBlocked):
    pass


class JobCancelled(JobInterrupted):
    pass


class MachineEnded(JobInterrupted):
    pass


class JobPutBack(JobInterrupted):
    def __init__(self, reason: str, *, status: JobStatus, outcome: AttemptOutcome) -> None:
        super().__init__(reason)
        self.status = status
        self.outcome = outcome


class JobFenced(JobInterrupted):
    pass


class WorkerStopping(JobInterrupted):
    pass
