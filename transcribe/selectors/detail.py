"""One job as its page shows it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from transcribe.audio.pcm_format import SAMPLE_RATE
from transcribe.broken_lines import Note, notes_from
from transcribe.catalog import languages
from transcribe.models import Attempt, Job, JobEvent
from transcribe.queue_rules import closed_seconds
from transcribe.selectors.jobs import JobRow, job_row, queue_positions, remaining_seconds
from transcribe.states import WAITING, ChunkStatus, JobStatus

LIVE_LINES = 12  # of a chunk of ten minutes there are up to three hundred, and what is new stands at their end


@dataclass(frozen=True, kw_only=True)
class ChunkCount:
    """`current` counts from 1 while one is being read."""

    total: int
    done: int
    current: int | None


@dataclass(frozen=True, kw_only=True)
class TimelineEvent:
    at: datetime
    status: JobStatus
    label: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class SetAside:
    """A chunk that ended its engine twice; `number` counts from 1."""

    index: int
    number: int
    start_seconds: float
    end_seconds: float
    error: str


@dataclass(frozen=True, kw_only=True)
class OptionShown:
    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class HeldShown:
    """For how long its engine was made to stand still for one cause, over all attempts."""

    cause: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class JobDetail:
    """`fingerprint` changes with what the page shows beside the running figures.

    `waited_seconds`: queued, in its turn; `hours_waited_seconds`: queued or blocked outside the hours.
    """

    row: JobRow
    chunks: ChunkCount
    elapsed_seconds: float | None
    remaining_seconds: float | None
    waited_seconds: float
    blocked_seconds: float
    held: tuple[HeldShown, ...]
    paused_seconds: float
    hours_waited_seconds: float
    live_lines: tuple[str, ...]  # the last ones of the chunk in hand
    live_lines_before: int
    language_label: str
    options: tuple[OptionShown, ...]
    notes: tuple[Note, ...]
    events: tuple[TimelineEvent, ...]
    attempts: tuple[Attempt, ...]
    is_ended: bool
    is_retryable: bool
    may_hold: bool
    may_release: bool
    set_aside: tuple[SetAside, ...]
    fingerprint: str


def job_detail(job: Job, now: datetime | None = None) -> JobDetail:
    now = now or timezone.now()
    events, attempts = list(job.events.all()), list(job.attempts.all())
    running = job.status == JobStatus.RUNNING
    held = durations_by_status(events, now)
    outside = durations_outside_hours(events, now)
    row = job_row(job, queue_positions().get(job.pk))
    live = [line for line in job.live_text.splitlines() if line.strip()]
    return JobDetail(
        row=row,
        chunks=_chunk_count(job),
        elapsed_seconds=_elapsed_seconds(job, attempts, now),
        remaining_seconds=remaining_seconds(job, now) if running else None,
        waited_seconds=max(0.0, held.get(JobStatus.QUEUED, 0.0) - outside.get(JobStatus.QUEUED, 0.0)),
        blocked_seconds=max(0.0, held.get(JobStatus.BLOCKED, 0.0) - outside.get(JobStatus.BLOCKED, 0.0)),
        paused_seconds=held.get(JobStatus.PAUSED, 0.0),
        hours_waited_seconds=sum(outside.values()),
        held=held_for(attempts),
        live_lines=tuple(live[-LIVE_LINES:]),
        live_lines_before=max(0, len(live) - LIVE_LINES),
        language_label=language_label(job),
        options=tuple(_options(job)),
        notes=notes_from([line for line in job.note.splitlines() if line]),
        events=tuple(_timeline_event(event) for event in events),
        attempts=tuple(attempts),
        is_ended=job.is_ended,
        is_retryable=job.is_retryable,
        may_hold=job.status in WAITING or (running and not row.is_stopping),
        may_release=job.status == JobStatus.PAUSED,
        set_aside=tuple(_set_aside(job)),
        fingerprint=_fingerprint(job, events, attempts),
    )


def _set_aside(job: Job) -> list[SetAside]:
    if not job.is_retryable:
        return []
    return [
        SetAside(
            index=chunk.index,
            number=chunk.index + 1,
            start_seconds=chunk.start_sample / SAMPLE_RATE,
            end_seconds=chunk.end_sample / SAMPLE_RATE,
            error=chunk.error,
        )
        for chunk in job.chunks.filter(status=ChunkStatus.QUARANTINED)
    ]


def _fingerprint(job: Job, events: Sequence[JobEvent], attempts: Sequence[Attempt]) -> str:
    shown = (
        len(events),
        job.status,
        job.cancel_requested,
        job.hold_requested,
        job.note,
        job.detected_language,
        [(attempt.outcome, attempt.engine_pid, attempt.peak_bytes, attempt.windows_text) for attempt in attempts],
    )
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def durations_by_status(events: Sequence[JobEvent], now: datetime) -> dict[JobStatus, float]:
    """Seconds spent in each status; the last one lasts until now."""
    seconds: dict[JobStatus, float] = {}
    ends = [event.at for event in events[1:]] + [now]
    for event, end in zip(events, ends, strict=True):
        status = JobStatus(event.new)
        seconds[status] = seconds.get(status, 0.0) + max(timedelta(), end - event.at).total_seconds()
    return seconds


def held_for(attempts: Iterable[Attempt]) -> tuple[HeldShown, ...]:
    """By cause, the first word of the kind: "heat pause" and "heat rest" are both heat."""
    seconds: dict[str, float] = {}
    for attempt in attempts:
        for kind, amount in attempt.held_seconds.items():
            cause = kind.partition(" ")[0]
            seconds[cause] = seconds.get(cause, 0.0) + amount
    return tuple(HeldShown(cause=cause, seconds=amount) for cause, amount in seconds.items())


def durations_outside_hours(events: Sequence[JobEvent], now: datetime) -> dict[JobStatus, float]:
    """Of the seconds spent waiting, by status: those outside the hours in force at the time."""
    seconds: dict[JobStatus, float] = {}
    ends = [event.at for event in events[1:]] + [now]
    for event, end in zip(events, ends, strict=True):
        if event.new in WAITING and event.at < end:
            status = JobStatus(event.new)
            seconds[status] = seconds.get(status, 0.0) + closed_seconds(event.at, end)
    return seconds


def language_label(job: Job) -> str:
    """ "German", "English (detected)" or "to be detected"."""
    if job.language:
        return language_name(job.language)
    if job.detected_language:
        return f"{language_name(job.detected_language)} (detected)"
    return "to be detected"


def language_name(code: str) -> str:
    return languages().get(code, code).title()


def _elapsed_seconds(job: Job, attempts: list[Attempt], now: datetime) -> float | None:
    """What its attempts took together: it is waited between them. None also where the clock was set back."""
    last_end = now if job.status == JobStatus.RUNNING else job.finished_at
    if last_end is None or not attempts:
        return None
    took = [((attempt.ended_at or last_end) - attempt.started_at).total_seconds() for attempt in attempts]
    return None if min(took) < 0 else sum(took)


def _chunk_count(job: Job) -> ChunkCount:
    chunks = list(job.chunks.values_list("index", "status"))
    running = [index + 1 for index, status in chunks if status == ChunkStatus.RUNNING]
    return ChunkCount(
        total=len(chunks),
        done=sum(status == ChunkStatus.DONE for _, status in chunks),
        current=running[0] if running and job.status == JobStatus.RUNNING else None,
    )


def _options(job: Job) -> list[OptionShown]:
    """As they are stored: a later version's rules may refuse what an earlier one took."""
    return [
        OptionShown(name=name, value="off" if value in (None, "") else str(value))
        for name, value in job.options.items()
    ]


def _timeline_event(event: JobEvent) -> TimelineEvent:
    status = JobStatus(event.new)
    return TimelineEvent(at=event.at, status=status, label=str(status.label), reason=event.reason)
