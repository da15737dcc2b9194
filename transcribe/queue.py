"""The queue: claims the oldest due job, runs it, and the next, with one engine while the model stays the same."""

from __future__ import annotations

from transcribe.runner import RunControl, run_job
from transcribe.services.claims import job_claim, jobs_recover_worker
from transcribe.slot import EngineSlot


def queue_run(control: RunControl) -> int:
    """Run all due jobs one after another. Only the single worker of a host calls this."""
    jobs_recover_worker()
    slot = EngineSlot()
    count = 0
    try:
        while not control.stopping() and (job := job_claim()) is not None:
            run_job(job, slot, control)
            count += 1
    finally:
        slot.close()
    return count
