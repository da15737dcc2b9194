"""Jobs as lists show them: one row each, the queue in its order, how many are in each status."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.conf import settings
from django.db.models import Count, QuerySet
from django.utils import timezone

from transcribe.models import Job, QueueChange
from transcribe.queue_rules import CLAIM_ORDER, QueueRules, queue_rules
from transcribe.resolve import model_label
from transcribe.selectors.pace import pace_for, pace_of_model
from transcribe.states import OWNER_WORKER, WAITING, JobStatus, Priority

SHOWN_LAST = 5


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """`queue_position` counts from 1 and is None for jobs that do not wait; `percent` only while running.

    `wait_text`: why a waiting job is not started even when its turn comes and the gate says yes. `may_run_now`: hours
    are set that a person may override for this job.
    """

    id: int
    title: str
    status: JobStatus
    status_label: str
    reason: str
    model_label: str
    duration_seconds: float
    created_at: datetime
    finished_at: datetime | None
    next_try_at: datetime | None
    is_stopping: bool
    activity: str
    position_seconds: float
    percent: int | None
    queue_position: int | None = None
    priority: Priority = Priority.NORMAL
    wait_text: str = ""
    may_run_now: bool = False


@dataclass(frozen=True, kw_only=True)
class QueueEntry:
    """`ahead_seconds`: work before it, `own_seconds`: its own; None when the pace of a model is not known yet."""

    row: JobRow
    position: int
    ahead_seconds: float | None
    own_seconds: float | None = None
    is_workers: bool = True


@dataclass(frozen=True, kw_only=True)
class StatusCount:
    status: JobStatus
    label: str
    count: int


def job_rows(jobs: QuerySet[Job] | list[Job]) -> list[JobRow]:
    positions, rules = queue_positions(), queue_rules()
    return [job_row(job, positions.get(job.pk), rules) for job in jobs]


def job_row(job: Job, queue_position: int | None = None, rules: QueueRules | None = None) -> JobRow:
    """`rules`: those of the queue, where the caller has read them already."""
    status = JobStatus(job.status)
    running = status is JobStatus.RUNNING
    stopping = running and (job.cancel_requested or job.hold_requested)
    return JobRow(
        id=job.pk,
        title=job.title,
        status=status,
        status_label="Stopping" if stopping else str(status.label),
        reason=job.reason,
        model_label=model_label(job.model),
        duration_seconds=job.duration_seconds,
        created_at=job.created_at,
        finished_at=job.finished_at,
        next_try_at=job.next_try_at,
        is_stopping=stopping,
        activity=job.activity,
        position_seconds=job.position_seconds,
        percent=percent_done(job) if running else None,
        queue_position=queue_position,
        priority=Priority(job.priority),
        wait_text=_wait_text(job, rules),
        may_run_now=_may_run_now(job, rules),
    )


def _wait_text(job: Job, rules: QueueRules | None) -> str:
    if job.status not in WAITING or job.owner != OWNER_WORKER:
        return ""
    return (rules or queue_rules()).wait_text(timezone.now(), ignores_hours=job.ignores_hours)


def _may_run_now(job: Job, rules: QueueRules | None) -> bool:
    if job.is_ended or job.ignores_hours or job.owner != OWNER_WORKER:
        return False
    return bool((rules or queue_rules()).schedule.openings)


def percent_done(job: Job) -> int:
    """Share of the recording that has been read, 0 to 99: the last one belongs to the finished job."""
    if job.duration_seconds <= 0:
        return 0
    return max(0, min(99, int(100 * job.position_seconds / job.duration_seconds)))


def jobs_with(status: JobStatus | None) -> QuerySet[Job]:
    """Newest first."""
    jobs = Job.objects.order_by("-pk")
    return jobs if status is None else jobs.filter(status=status)


def status_counts() -> list[StatusCount]:
    """Every status in its order, those without a job too."""
    rows = Job.objects.order_by().values_list("status").annotate(count=Count("pk"))
    counts: dict[str, int] = dict(rows)
    return [StatusCount(status=s, label=str(s.label), count=counts.get(s.value, 0)) for s in JobStatus]


def jobs_recent(count: int = SHOWN_LAST) -> list[JobRow]:
    """The last jobs that ended."""
    ended = Job.objects.filter(finished_at__isnull=False).exclude(status__in=[*WAITING, JobStatus.RUNNING])
    return [job_row(job) for job in ended.order_by("-finished_at", "-pk")[:count]]


def running_job() -> Job | None:
    return Job.objects.filter(status=JobStatus.RUNNING).order_by("-started_at").first()


def waiting_jobs() -> QuerySet[Job]:
    """In the order in which they are claimed."""
    return Job.objects.filter(status__in=WAITING).order_by(*CLAIM_ORDER)


def queue_changes(count: int) -> list[QueueChange]:
    """Changes of this host's hours, and its pauses, newest first."""
    return list(QueueChange.objects.filter(host=settings.HOST_ID)[:count])


def jobs_held() -> QuerySet[Job]:
    """Those that a person keeps from running, oldest first."""
    return Job.objects.filter(status=JobStatus.PAUSED).order_by("pk")


def held_jobs(jobs: Iterable[Job] | None = None, rules: QueueRules | None = None) -> list[JobRow]:
    """All that are held, or those of one page."""
    rules = rules or queue_rules()
    return [job_row(job, rules=rules) for job in (jobs_held() if jobs is None else jobs)]


def queue_positions() -> dict[int, int]:
    """Job number to its place in the queue."""
    return {pk: place for place, pk in enumerate(waiting_jobs().values_list("pk", flat=True), start=1)}


def queue_entries(
    now: datetime | None = None, *, first: int = 1, last: int | None = None, rules: QueueRules | None = None
) -> list[QueueEntry]:
    """The places `first` to `last` of the queue with the work ahead of each: the same few queries for any length."""
    now = now or timezone.now()
    running, rules = running_job(), rules or queue_rules()
    past = cache(pace_of_model)
    ahead_seconds = 0.0 if running is None else remaining_seconds(running, now, past)
    entries = []
    for position, job in enumerate(waiting_jobs().prefetch_related("chunks")[:last], start=1):
        own_seconds = remaining_seconds(job, now, past)
        if position >= first:
            entries.append(
                QueueEntry(
                    row=job_row(job, position, rules),
                    position=position,
                    ahead_seconds=ahead_seconds,
                    own_seconds=own_seconds,
                    is_workers=job.owner == OWNER_WORKER,
                )
            )
        known = ahead_seconds is not None and own_seconds is not None
        ahead_seconds = ahead_seconds + own_seconds if known else None  # type: ignore[operator]
    return entries


def remaining_seconds(job: Job, now: datetime, past: Callable[[str], float | None] = pace_of_model) -> float | None:
    """Work still to do; None when no pace is known."""
    pace = pace_for(job, now, past)
    if pace is None:
        return None
    return max(0.0, job.duration_seconds - job.position_seconds) * pace
