"""Who runs a job: claiming it by conditional update, and taking it back from a run that is gone."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from gate.core.identity import read_process
from gate.services import lock_status
from transcribe.audio.pcm_format import SAMPLE_RATE
from transcribe.conf import work_remove
from transcribe.models import Attempt, AttemptOutcome, Chunk, Job
from transcribe.queue_rules import CLAIM_ORDER, queue_rules
from transcribe.retries import RETRY_CAP_SECONDS
from transcribe.services.chunk_losses import chunk_lose_run, is_all_read
from transcribe.services.incidents import lost_again_report, worker_lost_report
from transcribe.services.progress import job_end
from transcribe.services.tries import fruitless_attempts, next_try_after_loss
from transcribe.states import OWNER_COMMAND, OWNER_WORKER, WAITING, ChunkStatus, JobStatus

# A job that takes its worker down with it five times must not do so every half hour for ever.
WORKER_LOSSES_ALLOWED = 5


def jobs_due(owner: str = OWNER_WORKER) -> QuerySet[Job]:
    """Jobs that `owner` may claim now, in the order in which they are claimed.

    For the worker neither while its queue is paused nor, unless a person said "now", outside the hours. A command
    belongs to a person who asks now: only the gate keeps it waiting.
    """
    now = timezone.now()
    due = Q(next_try_at__isnull=True) | Q(next_try_at__lte=now)
    # Nothing waits for longer than that: a later moment was written by a clock that stood ahead and was put right.
    due |= Q(next_try_at__gt=now + timedelta(seconds=max(RETRY_CAP_SECONDS, settings.GATE_RETRY_SECONDS)))
    jobs = Job.objects.filter(due, status__in=WAITING, owner=owner).order_by(*CLAIM_ORDER)
    if owner != OWNER_WORKER:
        return jobs
    rules = queue_rules()
    if rules.pause is not None:
        return jobs.none()
    return jobs.filter(ignores_hours=True) if rules.shift_over(now) else jobs


def job_claim(owner: str = OWNER_WORKER) -> Job | None:
    """The first due job, now running with a new attempt; None when there is none.

    Looked at and claimed in one transaction that writes: nobody pauses, holds or reorders in between.
    """
    with transaction.atomic():
        for job in jobs_due(owner)[:20]:
            if _claim(job):
                return job
    return None


def job_claim_this(job: Job) -> bool:
    """Claim exactly this waiting job; False when it is not waiting any more."""
    job.refresh_from_db()
    return job.status in WAITING and _claim(job)


def _claim(job: Job) -> bool:
    with transaction.atomic():
        claimed = job.move(
            JobStatus.RUNNING,
            attempt=job.attempt + 1,
            host=settings.HOST_ID,
            started_at=job.started_at or timezone.now(),
            activity="Starting",
            live_text="",
            position_seconds=_checkpoint_seconds(job),
        )
        if claimed:
            Attempt.objects.create(job=job, number=job.attempt, host=settings.HOST_ID)
    return claimed  # False: another run got there first


def _checkpoint_seconds(job: Job) -> float:
    """Where a run goes on: the end of the last finished chunk, not where the run before it had got to."""
    last = job.chunks.filter(status=ChunkStatus.DONE).order_by("end_sample").last()
    return 0.0 if last is None else last.end_sample / SAMPLE_RATE


def command_owner(pid: int) -> str:
    """The owner text of a `manage.py transcribe` process; its start time tells it from a later process."""
    return f"{OWNER_COMMAND} {pid} {read_process(pid).start_ticks}"


def jobs_running_here() -> QuerySet[Job]:
    """Jobs that the worker of this host runs, or was running when it ended."""
    return Job.objects.filter(_here(), status=JobStatus.RUNNING, owner=OWNER_WORKER)


def _here() -> Q:
    """SQLite serves one machine (docs/settings.md): another name in it is one that this machine had before."""
    return Q() if connection.vendor == "sqlite" else Q(host__in=["", settings.HOST_ID])


def jobs_recover_worker(why: str = "") -> int:
    """Queue again what an earlier worker of this host left running. Only the single worker may call this.

    `why`: a sentence on what ended it, where that is known.
    What is to be cancelled or held stays "stopping" while an engine of it still lives; the sweeper asks again.
    """
    reason = "the worker that ran it is gone; what it has read is kept"
    return sum(_recover(job, reason, why) for job in jobs_running_here())


def jobs_recover_commands() -> int:
    """Hand jobs of commands that are gone to the worker, which goes on from their checkpoints."""
    here = Job.objects.filter(_here(), owner__startswith=OWNER_COMMAND)
    lost = [job for job in here.filter(status__in=[JobStatus.RUNNING, *WAITING]) if not _command_lives(job.owner)]
    return sum(_recover(job, "the command that ran it is gone; the worker goes on with it") for job in lost)


def jobs_take_back(reason: str) -> int:
    """Hand every job that somebody ran, on any host, to the worker. Only where nobody can run one: in a restore."""
    anywhere = Job.objects.filter(status=JobStatus.RUNNING) | Job.objects.filter(
        owner__startswith=OWNER_COMMAND, status__in=WAITING
    )
    return sum(_take_back(job, reason) for job in anywhere)


def _command_lives(owner: str) -> bool:
    _, pid, started = owner.split(" ", 2)
    process = read_process(int(pid))
    return process.alive and started == str(process.start_ticks)


def _worker_losses(job: Job) -> int:
    """How many times in a row it lost its worker and got nowhere, with this time."""
    return fruitless_attempts(job).filter(Q(outcome=AttemptOutcome.WORKER_LOST) | Q(number=job.attempt)).count()


def _engine_lives(job: Job) -> bool:
    """The engine inherits the lock, so the lock is free exactly when its last process is gone."""
    status = lock_status()
    return status.is_live and status.holder is not None and status.holder.job_ref == f"job {job.pk}"


def _recover(job: Job, reason: str, why: str = "") -> bool:
    """Take it back from a process that is gone, and tell of that."""
    lost = Attempt.objects.filter(job=job, ended_at__isnull=True).last()
    with transaction.atomic():
        set_aside = None if _is_asked_to_end(job) else chunk_lose_run(job)
        taken = _take_back(job, reason, nothing_left=set_aside is not None and is_all_read(job))
        if not taken:
            transaction.set_rollback(True)
    if taken and lost is not None:
        worker_lost_report(job, lost, why)
        if set_aside is not None:
            lost_again_report(job, set_aside, set_aside.error)
    return taken


def _is_asked_to_end(job: Job) -> bool:
    return job.status == JobStatus.RUNNING and (job.cancel_requested or job.hold_requested)


def _end_lost(job: Job, reason: str = "") -> bool:
    job_end(job, reason, attempt=AttemptOutcome.WORKER_LOST)
    if job.is_ended:  # not, where another run has it now
        _work_remove_after(job, keep_journals=job.is_retryable)
    return job.is_ended


def _work_remove_after(job: Job, *, keep_journals: bool) -> None:
    """Files go when it is certain that the job is ours to end: with the commit, and not under the write lock."""
    transaction.on_commit(partial(work_remove, job.pk, keep_journals=keep_journals))


def _take_back(job: Job, reason: str, *, nothing_left: bool = False) -> bool:
    asked_to_end = _is_asked_to_end(job)
    if asked_to_end and _engine_lives(job):
        return False
    with transaction.atomic():
        if asked_to_end and not job.cancel_requested:
            taken = job.move(JobStatus.PAUSED, job.reason, activity="", live_text="", hold_requested=False)
        elif job.cancel_requested:
            taken = job.move(JobStatus.CANCELLED, "cancelled; its process is gone", finished_at=timezone.now())
            if taken:
                _work_remove_after(job, keep_journals=True)
        elif job.status in WAITING:
            taken = Job.objects.filter(pk=job.pk, status=job.status, owner=job.owner).update(owner=OWNER_WORKER) == 1
        elif _worker_losses(job) >= WORKER_LOSSES_ALLOWED:
            times = f"This happened {WORKER_LOSSES_ALLOWED} times in a row without a finished chunk."
            return _end_lost(job, f"{reason[:1].upper()}{reason[1:]}. {times} Retry tries it again.")
        elif nothing_left:
            return _end_lost(job)
        else:
            next_try = next_try_after_loss(job)
            taken = job.move(
                JobStatus.QUEUED, reason, owner=OWNER_WORKER, activity="", live_text="", next_try_at=next_try
            )
        if taken:
            Attempt.objects.filter(job=job, ended_at__isnull=True).update(
                ended_at=timezone.now(), outcome=AttemptOutcome.WORKER_LOST, reason=reason
            )
            Chunk.objects.filter(job=job, status=ChunkStatus.RUNNING).update(status=ChunkStatus.PENDING)
    return taken
