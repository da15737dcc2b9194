"""django-q2's entry point. A task is only a wake-up: it may come twice, or be lost, without harm."""

from __future__ import annotations

from transcribe.cluster import WorkerControl
from transcribe.queue import queue_run


def wake() -> int:
    """Run every job that is due; returns how many."""
    return queue_run(WorkerControl())
