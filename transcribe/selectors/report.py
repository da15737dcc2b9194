"""What became of a night: what was done, what waits and why, what was lost, and when the queue will be done."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from gate.core.verdict import CheckName
from gate.core.watch import ENDED_FOR, Cause
from transcribe.audio.pcm_format import SAMPLE_RATE
from transcribe.models import Attempt, AttemptOutcome, Chunk, Job, JobEvent
from transcribe.queue_rules import QueueRules, queue_rules
from transcribe.schedule import Schedule
from transcribe.selectors.jobs import (
    JobRow,
    QueueEntry,
    held_jobs,
    job_row,
    queue_entries,
    remaining_seconds,
    running_job,
)
from transcribe.states import ChunkStatus, JobStatus

__all__ = ["DISK", "Lost", "NightReport", "Period", "night_report", "period_of"]

EVENING_HOUR = 18  # where no hours are set, the night is what has been since yesterday at this hour
_CHECK = re.compile(r"Blocked by ([a-z ]+):")  # how a verdict begins its reason (gate/core/verdict.py)
OTHER_CHECK = "lock"  # a refusal by the lock itself is in other words
DISK = "disk or database"  # no check of the gate, but it kept the job waiting, too

_ENDED_BY = {Cause.HEAT: str(CheckName.TEMPERATURE), Cause.MEMORY: str(CheckName.MEMORY)}

Interval = tuple[datetime, datetime]


@dataclass(frozen=True, kw_only=True)
class Period:
    """`is_shift`: these were the last hours; otherwise since yesterday evening. `zone` names the wall clock."""

    start: datetime
    end: datetime
    is_shift: bool
    zone: str


@dataclass(frozen=True, kw_only=True)
class Lost:
    """For how long within the hours something kept a job waiting while no other ran. `held_seconds`: the part of it in
    which the engine of a running job stood still.
    """

    check: str
    seconds: float
    held_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class NightReport:
    """`audio_seconds`: read within the period, also of jobs that go on. `remaining_seconds` and `done_at`: None where
    the pace of a model is not known yet, and `done_at` where the queue is paused or never done.
    """

    period: Period
    audio_seconds: float
    done: tuple[JobRow, ...]
    incomplete: tuple[JobRow, ...]
    failed: tuple[JobRow, ...]
    running: JobRow | None
    waiting: tuple[QueueEntry, ...]
    held: tuple[JobRow, ...]
    lost: tuple[Lost, ...]
    pause_text: str
    remaining_seconds: float | None
    done_at: datetime | None

    @property
    def done_audio_seconds(self) -> float:
        return sum(row.duration_seconds for row in self.done)

    @property
    def not_whole_count(self) -> int:
        return len(self.incomplete) + len(self.failed)

    @property
    def waits(self) -> bool:
        return self.running is not None or bool(self.waiting)


def night_report(now: datetime | None = None) -> NightReport:
    now = now or timezone.now()
    rules = queue_rules()
    period = period_of(rules.schedule, now)
    running = running_job()
    waiting, ended = queue_entries(now, rules=rules), _ended(period)
    left = _remaining_seconds(running, waiting, now)
    return NightReport(
        period=period,
        audio_seconds=_audio_seconds(period),
        done=ended[JobStatus.SUCCEEDED],
        incomplete=ended[JobStatus.INCOMPLETE],
        failed=ended[JobStatus.FAILED],
        running=None if running is None else job_row(running, rules=rules),
        waiting=tuple(waiting),
        held=tuple(held_jobs(rules=rules)),
        lost=_lost(period, rules.schedule),
        pause_text="" if rules.pause is None else rules.pause.sentence,
        remaining_seconds=left,
        done_at=_done_at(rules, left, now),
    )


def period_of(schedule: Schedule, now: datetime) -> Period:
    """The last hours that have begun, up to now; where there are none, since yesterday evening."""
    shift = schedule.shift_before(now)
    if shift is not None and shift.closes_at is not None:
        return Period(start=shift.opens_at, end=min(now, shift.closes_at), is_shift=True, zone=schedule.zone)
    midnight = now.astimezone(ZoneInfo(schedule.zone)).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    evening = (midnight - timedelta(days=1)).replace(hour=EVENING_HOUR)
    return Period(start=evening, end=now, is_shift=False, zone=schedule.zone)


def _ended(period: Period) -> dict[JobStatus, tuple[JobRow, ...]]:
    statuses = (JobStatus.SUCCEEDED, JobStatus.INCOMPLETE, JobStatus.FAILED)
    jobs = Job.objects.filter(status__in=statuses, finished_at__gte=period.start, finished_at__lte=period.end)
    rows = [job_row(job) for job in jobs.order_by("finished_at", "pk")]
    return {status: tuple(row for row in rows if row.status is status) for status in statuses}


def _audio_seconds(period: Period) -> float:
    done = Chunk.objects.filter(
        status=ChunkStatus.DONE, finished_at__gte=period.start, finished_at__lte=period.end
    ).values_list("start_sample", "end_sample")
    return sum(end - start for start, end in done) / SAMPLE_RATE


# ── What was lost ────────────────────────────────────────────────────────────────────────────────
def _lost(period: Period, schedule: Schedule) -> tuple[Lost, ...]:
    """The longest first."""
    blocked: dict[str, list[Interval]] = {}
    for event, until, outcome in _blocked_events(period):
        begin, end = max(event.at, period.start), min(until, period.end)
        if begin < end:
            blocked.setdefault(blocking_check(event.reason, outcome), []).append((begin, end))
    attempts = _attempts(period)
    busy = _busy(attempts, period)
    seconds = {
        check: sum(schedule.open_seconds(*interval) for interval in without(merged(intervals), busy))
        for check, intervals in blocked.items()
    }
    heat, held_seconds = str(CheckName.TEMPERATURE), _held_seconds(attempts, period)
    seconds[heat] = seconds.get(heat, 0.0) + held_seconds
    found = [
        Lost(check=check, seconds=lost, held_seconds=held_seconds if check == heat else 0.0)
        for check, lost in seconds.items()
        if lost >= 1
    ]
    return tuple(sorted(found, key=lambda lost: -lost.seconds))


def _attempts(period: Period) -> list[Attempt]:
    """Those that reached into the period. One without an end may be older than it."""
    lasted = Q(ended_at__gte=period.start) | Q(ended_at=None)
    found = Attempt.objects.filter(lasted, started_at__lte=period.end)
    return list(found.only("started_at", "ended_at", "held_seconds", "outcome", "engine_pid"))


def _busy(attempts: Iterable[Attempt], period: Period) -> list[Interval]:
    """When some job ran: who waited meanwhile would not have been begun anyway.

    One that was blocked before a chunk ran until then; one that was blocked at its start has no engine.
    """
    refused = (AttemptOutcome.BLOCKED, AttemptOutcome.PRESSURE)
    ran = [one for one in attempts if one.outcome not in refused or one.engine_pid is not None]
    return merged((one.started_at, one.ended_at or period.end) for one in ran)


def _held_seconds(attempts: Iterable[Attempt], period: Period) -> float:
    """Of attempts that reached into the period; of one that began before, at most the time within."""
    total = 0.0
    for one in attempts:
        within = min(one.ended_at or period.end, period.end) - max(one.started_at, period.start)
        total += min(sum(one.held_seconds.values()), within.total_seconds())
    return total


def _blocked_events(period: Period) -> Iterable[tuple[JobEvent, datetime, str]]:
    """Each blocking that reached into the period, with its end (the next event of the job, or the period's end) and
    how the attempt before it had ended.
    """
    blocked = JobEvent.objects.filter(job=OuterRef("pk"), new=JobStatus.BLOCKED, at__lte=period.end)
    open_then = Q(finished_at__gte=period.start) | Q(finished_at=None)
    recent = Job.objects.filter(open_then, Exists(blocked))
    for job in recent.prefetch_related("events", "attempts"):
        events: Sequence[JobEvent] = list(job.events.all())
        ends = [event.at for event in events[1:]] + [period.end]
        outcomes = {attempt.number: attempt.outcome for attempt in job.attempts.all()}
        for event, end in zip(events, ends, strict=True):
            if event.new == JobStatus.BLOCKED:
                yield event, end, outcomes.get(event.attempt, "")


def blocking_check(reason: str, outcome: str = "") -> str:
    """What a blocked job waits for, by the reason it was given and the outcome of its attempt."""
    if outcome == AttemptOutcome.NO_DISK:
        return DISK
    if outcome == AttemptOutcome.PRESSURE:
        return str(CheckName.MEMORY)
    if (found := _CHECK.match(reason)) is not None:
        return found.group(1)
    ended = (check for cause, check in _ENDED_BY.items() if reason.startswith(ENDED_FOR[cause]))
    return next(ended, OTHER_CHECK)


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Two jobs that waited at the same time cost the machine that time once."""
    whole: list[Interval] = []
    for begin, end in sorted(intervals):
        if whole and begin <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        else:
            whole.append((begin, end))
    return whole


def without(intervals: Sequence[Interval], taken: Sequence[Interval]) -> list[Interval]:
    """What is left of the intervals outside those that are taken; both in order and apart, as `merged` gives them."""
    left: list[Interval] = []
    for begin, end in intervals:
        for taken_from, taken_to in taken:
            if begin < taken_from < end:
                left.append((begin, taken_from))
            if taken_from < end:
                begin = max(begin, taken_to)
        if begin < end:
            left.append((begin, end))
    return left


# ── What is still to come ────────────────────────────────────────────────────────────────────────
def _remaining_seconds(running: Job | None, waiting: Iterable[QueueEntry], now: datetime) -> float | None:
    """Work of the running and of all waiting jobs; None when the pace of one is not known."""
    each = [] if running is None else [remaining_seconds(running, now)]
    each += [entry.own_seconds for entry in waiting if entry.is_workers]
    return None if None in each else sum(seconds for seconds in each if seconds is not None)


def _done_at(rules: QueueRules, remaining: float | None, now: datetime) -> datetime | None:
    if remaining is None or rules.pause is not None:
        return None
    return rules.schedule.after_open_seconds(now, remaining)
