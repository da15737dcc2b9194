"""The morning report: the right time, the right jobs, time lost counted once, and when the queue will be done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support.jobs import make_job
from transcribe.models import Attempt, AttemptOutcome, Chunk, Job, JobEvent
from transcribe.schedule import ALWAYS, Opening, Schedule
from transcribe.selectors.report import DISK, blocking_check, merged, night_report, period_of, without
from transcribe.services import hours_set, queue_pause
from transcribe.states import ChunkStatus, JobStatus

pytestmark = pytest.mark.django_db

NIGHTS = [Opening(day, 1320, 360) for day in range(7)]
NOW = datetime(2026, 11, 25, 7, tzinfo=UTC)  # in Berlin 8:00, two hours after the night
NIGHT_START, NIGHT_END = datetime(2026, 11, 24, 21, tzinfo=UTC), datetime(2026, 11, 25, 5, tzinfo=UTC)


def ended(status: JobStatus, at: datetime, **values: object) -> Job:
    return make_job(status=status, finished_at=at, **values)


def test_the_period_is_the_last_hours_or_since_yesterday_evening() -> None:
    nights = Schedule(tuple(NIGHTS), "Europe/Berlin")
    period = period_of(nights, NOW)
    assert (period.start, period.end, period.is_shift) == (NIGHT_START, NIGHT_END, True)
    during = period_of(nights, NIGHT_START + timedelta(hours=1))
    assert (during.start, during.end) == (NIGHT_START, NIGHT_START + timedelta(hours=1))
    evening = datetime(2026, 11, 24, 18, tzinfo=ZoneInfo("Europe/Berlin"))
    week = tuple(Opening(day, 0, 1440) for day in range(7))
    for schedule in (Schedule((), "Europe/Berlin"), Schedule(week, "Europe/Berlin")):
        period = period_of(schedule, NOW)
        assert (period.start, period.end, period.is_shift) == (evening, NOW, False)
    assert period_of(ALWAYS, NOW).start == datetime(2026, 11, 24, 18, tzinfo=UTC)


def test_it_counts_what_ended_in_the_night_and_nothing_else() -> None:
    hours_set(NIGHTS, "Europe/Berlin", who="anna")
    first = ended(JobStatus.SUCCEEDED, NIGHT_START, duration_seconds=3600)
    second = ended(JobStatus.SUCCEEDED, NIGHT_END, duration_seconds=1800)
    ended(JobStatus.SUCCEEDED, NIGHT_START - timedelta(seconds=1))
    ended(JobStatus.SUCCEEDED, NIGHT_END + timedelta(seconds=1))
    failed = ended(JobStatus.FAILED, NIGHT_START + timedelta(hours=1))
    incomplete = ended(JobStatus.INCOMPLETE, NIGHT_START + timedelta(hours=1))
    goes_on = make_job()
    for index, at in enumerate((NIGHT_START - timedelta(hours=1), NIGHT_START + timedelta(hours=2))):
        Chunk.objects.create(
            job=goes_on,
            index=index,
            start_sample=index * 16_000 * 600,
            end_sample=(index + 1) * 16_000 * 600,
            status=ChunkStatus.DONE,
            finished_at=at,
        )
    held = make_job(status=JobStatus.PAUSED)
    report = night_report(NOW)
    assert [row.id for row in report.done] == [first.pk, second.pk]
    assert report.done_audio_seconds == 5400
    assert report.audio_seconds == 600
    assert [row.id for row in report.failed] == [failed.pk]
    assert [row.id for row in report.incomplete] == [incomplete.pk]
    assert [entry.row.id for entry in report.waiting] == [goes_on.pk]
    assert [row.id for row in report.held] == [held.pk]


def test_time_lost_is_counted_once_by_check_and_only_within_the_hours() -> None:
    hours_set(NIGHTS, "Europe/Berlin", who="anna")
    first, second = make_job(), make_job()
    hour = timedelta(hours=1)

    def event(job: Job, at: datetime, new: str, reason: str = "") -> None:
        JobEvent.objects.create(job=job, at=at, new=new, reason=reason)

    heat, memory = "Blocked by temperature: 82.0 °C.", "Blocked by memory: 3.1 GiB short."
    event(first, NIGHT_START - hour, "blocked", heat)  # an hour of it before the night
    event(first, NIGHT_START + hour, "running")
    event(second, NIGHT_START + hour / 2, "blocked", heat)  # half an hour of it is the same half hour
    event(second, NIGHT_START + 2 * hour, "blocked", memory)
    event(second, NIGHT_START + 3 * hour, "running")
    event(first, NIGHT_END - hour / 2, "blocked", "The lock is held by PID 7.")  # and it still is
    lost = {entry.check: entry.seconds for entry in night_report(NOW).lost}
    assert lost == {"temperature": 7200.0, "memory": 3600.0, "lock": 1800.0}


def test_the_reason_names_the_cause() -> None:
    assert blocking_check("Blocked by whisper processes: 1 runs. Also: lock.") == "whisper processes"
    assert blocking_check("The lock is held.") == "lock"
    assert blocking_check("Ended for heat: 91.0 °C, limit 90.0 °C. What it has read is kept.") == "temperature"
    assert blocking_check("Ended for want of memory: 1.9 GiB of memory available.") == "memory"
    assert blocking_check("A disk is full (No space left on device). Free some space.", "no_disk") == DISK


def test_what_ended_a_run_for_heat_and_what_held_its_engine_are_one_sum() -> None:
    """Nobody reading the report knows the difference between a no of the gate, a pause and an end."""
    hours_set(NIGHTS, "Europe/Berlin", who="anna")
    job, hour = make_job(), timedelta(hours=1)
    JobEvent.objects.create(job=job, at=NIGHT_START + hour, new="blocked", reason="Ended for heat: 91.0 °C.", attempt=1)
    JobEvent.objects.create(job=job, at=NIGHT_START + 2 * hour, new="running", attempt=2)
    full = "The disk of the panel's data is full (0 B free). Free some space."
    JobEvent.objects.create(job=job, at=NIGHT_START + 3 * hour, new="blocked", reason=full, attempt=2)
    JobEvent.objects.create(job=job, at=NIGHT_START + 4 * hour, new="running", attempt=3)
    attempt = {"job": job, "host": "here", "started_at": NIGHT_START, "ended_at": NIGHT_START + hour}
    held = {"heat pause": 1000.0, "heat rest": 800.0}
    Attempt.objects.create(number=1, held_seconds=held, outcome=AttemptOutcome.MACHINE_ENDED, **attempt)
    Attempt.objects.create(number=2, outcome=AttemptOutcome.NO_DISK, **attempt)
    report = night_report(NOW)
    lost = {entry.check: (entry.seconds, entry.held_seconds) for entry in report.lost}
    assert lost == {"temperature": (3600.0 + 1800.0, 1800.0), DISK: (3600.0, 0.0)}


@pytest.mark.parametrize(
    ("outcome", "engine_pid"),
    [(AttemptOutcome.SUCCEEDED, 7), (AttemptOutcome.BLOCKED, 7)],
    ids=["to its end", "until the gate said no before a further chunk"],
)
def test_who_waited_while_another_job_ran_has_lost_nothing(outcome: str, engine_pid: int) -> None:
    hours_set(NIGHTS, "Europe/Berlin", who="anna")
    large, small, hour = make_job(), make_job(), timedelta(hours=1)
    memory = "Blocked by memory: 3.1 GiB short."
    JobEvent.objects.create(job=large, at=NIGHT_START, new="blocked", reason=memory, attempt=1)
    JobEvent.objects.create(job=large, at=NIGHT_START + 4 * hour, new="running", attempt=2)
    blocked = {"job": large, "started_at": NIGHT_START, "ended_at": NIGHT_START + hour / 3600}
    Attempt.objects.create(number=1, host="here", outcome=AttemptOutcome.BLOCKED, **blocked)
    ran = {"job": small, "started_at": NIGHT_START + hour, "ended_at": NIGHT_START + 3 * hour}
    Attempt.objects.create(number=1, host="here", outcome=outcome, engine_pid=engine_pid, **ran)
    Attempt.objects.create(number=2, host="here", job=large, started_at=NIGHT_START + 4 * hour)
    assert {entry.check: entry.seconds for entry in night_report(NOW).lost} == {"memory": 7200.0}


def test_what_is_left_of_intervals() -> None:
    a, b, c, d, e = (NOW + timedelta(minutes=at) for at in range(5))
    assert without([(a, e)], [(b, c)]) == [(a, b), (c, e)]
    assert without([(a, c), (d, e)], [(b, d)]) == [(a, b), (d, e)]
    assert without([(b, c)], [(a, d)]) == []
    assert without([(b, c)], [(a, b), (c, d)]) == [(b, c)]
    assert without([(a, e)], [(a, b), (c, d)]) == [(b, c), (d, e)]
    assert without([(a, b)], []) == [(a, b)]


def test_intervals_that_touch_become_one() -> None:
    a, b, c, d = (NOW + timedelta(minutes=at) for at in range(4))
    assert merged([(c, d), (a, b)]) == [(a, b), (c, d)]
    assert merged([(b, d), (a, b), (b, c)]) == [(a, d)]
    assert merged([]) == []


def test_it_says_when_the_queue_will_be_done() -> None:
    hours_set(NIGHTS, "Europe/Berlin", who="anna")
    past = ended(JobStatus.SUCCEEDED, NIGHT_START)
    Chunk.objects.create(  # measured: an hour of work for ten minutes of sound
        job=past,
        index=0,
        start_sample=0,
        end_sample=16_000 * 600,
        status=ChunkStatus.DONE,
        started_at=NIGHT_START - timedelta(hours=1),
        finished_at=NIGHT_START,
    )
    make_job(duration_seconds=6000)
    report = night_report(NOW)
    assert report.remaining_seconds == pytest.approx(36_000)
    # Eight hours in the first night, two in the second.
    assert report.done_at == datetime(2026, 11, 26, 23, tzinfo=UTC)
    queue_pause(who="anna", why="", stops_running=False)
    assert night_report(NOW).done_at is None


def test_without_a_measured_pace_it_does_not_guess() -> None:
    make_job()
    report = night_report(NOW)
    assert (report.remaining_seconds, report.done_at) == (None, None)
