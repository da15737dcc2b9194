"""Everything that changes jobs. Views, commands and tasks call these and render."""

from __future__ import annotations

from transcribe.services.jobs import Submitted, job_cancel, job_delete, job_retry, job_submit
from transcribe.services.order import (
    Place,
    chunk_retry,
    job_hold,
    job_place,
    job_prioritise,
    job_release,
    job_run_now,
)
from transcribe.services.queue_control import hours_set, queue_pause, queue_resume
from transcribe.services.registry import model_register
from transcribe.services.wake import queue_sweep, queue_wake

__all__ = [
    "Place",
    "Submitted",
    "chunk_retry",
    "hours_set",
    "job_cancel",
    "job_delete",
    "job_hold",
    "job_place",
    "job_prioritise",
    "job_release",
    "job_retry",
    "job_run_now",
    "job_submit",
    "model_register",
    "queue_pause",
    "queue_resume",
    "queue_sweep",
    "queue_wake",
]
