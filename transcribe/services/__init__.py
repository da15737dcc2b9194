"""Everything that changes jobs. Views, commands and tasks call these and render."""

from __future__ import annotations

from transcribe.services.jobs import Submitted, job_cancel, job_delete, job_retry, job_submit
from transcribe.services.registry import model_register
from transcribe.services.wake import queue_sweep, queue_wake

__all__ = [
    "Submitted",
    "job_cancel",
    "job_delete",
    "job_retry",
    "job_submit",
    "model_register",
    "queue_sweep",
    "queue_wake",
]
