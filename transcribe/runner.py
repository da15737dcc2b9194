"""One job from claim to end, and what becomes of it when it does not go well.

Used by the worker (tasks.py) and by `manage.py transcribe`; both run this same code.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connections
from django.utils import timezone

from transcribe.audio.errors import AudioError, DiskFull, PreparationFailed
from transcribe.conf import work_remove
from transcribe.disk import database_trouble, machine_text
from transcribe.engine.errors import ProtocolError
from transcribe.errors import (
    EngineLost,
    JobBlocked,
    JobCancelled,
    JobFenced,
    JobPressed,
    JobPutBack,
    MachineEnded,
    NoRoomForModel,
    TranscribeError,
    WorkerStopping,
)
from transcribe.job_run import JobRun, RunControl
from transcribe.models import AttemptOutcome, Chunk, Job
from transcribe.run_watch import COMES_BACK_WHEN
from transcribe.services.chunk_losses import LOSSES_ALLOWED, chunk_lose, is_all_read
from transcribe.services.incidents import engine_lost_report, lost_again_report
from transcribe.services.progress import (
    attempt_update,
    chunk_fail,
    job_end,
    job_leave,
    losses_while_loading,
)
from transcribe.services.tries import next_try_after_block, next_try_after_loss
from transcribe.slot import EngineSlot
from transcribe.states import JobStatus

__all__ = ["RunControl", "run_job"]

logger = logging.getLogger(__name__)

# While the model loads no chunk is to blame, and a crowded machine may get room: it is tried for longer.
LOADING_LOSSES_ALLOWED = 5
DATABASE_RETRY_SECONDS = 2.0
COMES_BACK = "Finished chunks are kept; it comes back by itself."


def run_job(job: Job, slot: EngineSlot, control: RunControl) -> JobStatus:
    """Run a claimed job until it ends, waits again, or belongs to another run. Never raises for the job's faults."""
    try:
        _run_and_tell(job, slot, control)
    except JobFenced:  # also when it was to be told how the run ended
        slot.kill()
        logger.warning("job %s belongs to another run now; this one ends", job.pk)
    except DatabaseError as problem:  # also when it could not be told how the run ended
        slot.kill()
        _leave_once_it_can_be_written(job, control, database_trouble(problem))
    finally:
        if job.is_ended:
            work_remove(job.pk, keep_journals=job.is_retryable)
    return JobStatus(job.status)


def _run_and_tell(job: Job, slot: EngineSlot, control: RunControl) -> None:
    """Run it, and write what became of it. So long because each end has its own status and next try."""
    run = JobRun(job, slot, control)
    try:
        run.execute()
        job_end(job)
    except JobBlocked as blocked:
        slot.kill()
        outcome = AttemptOutcome.PRESSURE if isinstance(blocked, JobPressed) else AttemptOutcome.BLOCKED
        job_leave(job, JobStatus.BLOCKED, blocked.reason, outcome, next_try_at=next_try_after_block(job))
    except MachineEnded as ended:
        slot.kill()
        reason = f"{ended.reason} What it has read is kept; {COMES_BACK_WHEN}."
        again_at = next_try_after_loss(job, at_least_seconds=settings.GATE_RETRY_SECONDS)
        job_leave(job, JobStatus.BLOCKED, reason, AttemptOutcome.MACHINE_ENDED, next_try_at=again_at)
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
        raise
    except (EngineLost, ProtocolError) as lost:
        slot.kill()
        _after_loss(job, run.chunk, lost)
    except PreparationFailed as failed:
        slot.kill()
        _after_loss(job, None, failed)
    except (DiskFull, NoRoomForModel) as full:
        slot.kill()
        _wait_for_machine(job, str(full))
    except (TranscribeError, AudioError) as error:
        if run.chunk is not None:
            chunk_fail(run.chunk, str(error))
        job_end(job, str(error))
    except DatabaseError:
        raise
    except OSError as problem:  # no room for a file, no memory for a process: no fault of the job
        logger.exception("job %s waits, the machine refused something", job.pk)
        slot.kill()
        _wait_for_machine(job, machine_text(problem))
    except Exception:
        logger.exception("job %s ended by a fault of the panel", job.pk)
        slot.kill()
        job_end(job, "The panel itself made an error with this job; its log says which. Retry may help.")


def _wait_for_machine(job: Job, trouble: str) -> None:
    again_at = next_try_after_loss(job, at_least_seconds=settings.GATE_RETRY_SECONDS)
    job_leave(job, JobStatus.BLOCKED, f"{trouble} {COMES_BACK}", AttemptOutcome.NO_DISK, next_try_at=again_at)


def _leave_once_it_can_be_written(job: Job, control: RunControl, trouble: str) -> None:
    """The database failed under the run, so it cannot say so yet. Neither lock nor engine is held meanwhile.

    When the service stops first, its next start finds the job running, and queues it again.
    """
    logger.error("job %s waits: %s", job.pk, trouble)
    while not control.stopping():
        try:
            next_try = timezone.now() + timedelta(seconds=settings.GATE_RETRY_SECONDS)
            reason = f"{trouble} {COMES_BACK}"
            job_leave(job, JobStatus.BLOCKED, reason, AttemptOutcome.NO_DISK, next_try_at=next_try)
            return
        except DatabaseError:
            connections.close_all()
            time.sleep(DATABASE_RETRY_SECONDS)


def _after_loss(job: Job, chunk: Chunk | None, lost: EngineLost | ProtocolError | PreparationFailed) -> None:
    """Engine or decoder died. A chunk is tried again, and set aside when it has killed its engine twice."""
    code, tail = (lost.exit_code, lost.output_tail) if isinstance(lost, EngineLost) else (None, "")
    attempt_update(job, exit_code=code, output_tail=tail)
    engine = None if isinstance(lost, PreparationFailed) else lost
    if engine is not None:
        engine_lost_report(job, chunk, engine)
    if chunk is None:
        losses = losses_while_loading(job) + 1
        if engine is not None and losses >= LOSSES_ALLOWED:
            lost_again_report(job, chunk, engine)
        if losses >= LOADING_LOSSES_ALLOWED:
            meanwhile = "" if engine is None else " while the model was loading"
            job_end(job, f"{lost} This happened {losses} times{meanwhile}.")
            return
    else:
        is_set_aside = chunk_lose(chunk, str(lost))
        if engine is not None and is_set_aside:
            lost_again_report(job, chunk, engine)
        if is_all_read(job):
            job_end(job)
            return
    reason = f"{lost} It is tried again; what it has read is kept."
    outcome = AttemptOutcome.NOT_PREPARED if engine is None else AttemptOutcome.ENGINE_LOST
    job_leave(job, JobStatus.QUEUED, reason, outcome, next_try_at=next_try_after_loss(job))
