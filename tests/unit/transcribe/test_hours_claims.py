"""Outside the hours nothing is claimed; the sweeper wakes the queue when they open; a person may say "now"."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import Settings

from tests.support.jobs import make_job
from transcribe.errors import JobCancelled, JobFenced, JobPutBack
from transcribe.interruption import interruption_look
from transcribe.models import AttemptOutcome, Job, JobEvent, QueueChange, QueueState
from transcribe.queue_rules import queue_rules
from transcribe.schedule import Opening
from transcribe.services import hours_set, job_retry, job_run_now, queue_pause, queue_resume, queue_sweep
from transcribe.services.claims import command_owner, job_claim, job_claim_this
from transcribe.services.progress import job_leave
from transcribe.states import JobStatus

pytestmark = pytest.mark.django_db

ALL_WEEK = tuple(Opening(day, 0, 1440) for day in range(7))


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna")


def close(who: str = "anna") -> None:
    """Hours that are not now: an hour which begins in six."""
    at = timezone.now().astimezone(ZoneInfo("UTC")) + timedelta(hours=6)
    start = at.hour * 60
    hours_set([Opening(at.weekday(), start, start + 60)], "UTC", who=who)


def test_it_claims_nothing_outside_the_hours() -> None:
    job = make_job()
    close()
    assert job_claim() is None
    assert not queue_sweep()
    hours_set(ALL_WEEK, "UTC", who="anna")
    assert job_claim() == job


def test_the_sweeper_wakes_the_queue_when_the_hours_open() -> None:
    make_job()
    close()
    assert OrmQ.objects.count() == 0
    QueueState.objects.update(openings=[[day, 0, 1440] for day in range(7)])  # time passes: no act of a person
    assert queue_sweep()
    assert OrmQ.objects.count() == 1


def test_opening_the_hours_wakes_the_queue_at_once() -> None:
    make_job()
    close()
    hours_set((), "", who="anna")
    assert OrmQ.objects.count() == 1


def test_now_overrides_the_hours_of_one_job(anna: User) -> None:
    first, second = make_job(), make_job()
    close()
    assert job_run_now(second, anna)
    assert OrmQ.objects.count() == 1
    assert job_claim() == second
    assert job_claim() is None
    event = JobEvent.objects.get(job=second, old=JobStatus.QUEUED, new=JobStatus.QUEUED)
    assert event.reason == "to run outside the hours, too: asked for by anna"
    assert not JobEvent.objects.filter(job=first).exists()


def test_now_is_not_said_twice_nor_where_no_hours_are_set(anna: User) -> None:
    job = make_job()
    assert not job_run_now(job, anna)
    close()
    assert job_run_now(job, anna)
    assert not job_run_now(job, anna)


def test_now_does_not_override_a_pause_nor_the_time_of_the_next_try(anna: User) -> None:
    job = make_job(status=JobStatus.BLOCKED, next_try_at=timezone.now() + timedelta(minutes=1))
    close()
    assert job_run_now(job, anna)
    assert job_claim() is None
    Job.objects.update(next_try_at=None)
    queue_pause(who="anna", why="", stops_running=False)
    assert job_claim() is None
    queue_resume(who="anna")
    assert job_claim() == job


def test_now_ends_with_the_job(anna: User) -> None:
    job = make_job()
    close()
    job_run_now(job, anna)
    job.refresh_from_db()
    assert job.move(JobStatus.FAILED)
    assert job_retry(job, anna)
    assert job_claim() is None


def test_a_command_asks_now_and_keeps_no_hours() -> None:
    job = make_job(owner=command_owner(os.getpid()))
    close()
    queue_pause(who="anna", why="", stops_running=True)
    assert job_claim_this(job)
    interruption_look(job)


def test_a_running_job_is_put_back_when_the_hours_end() -> None:
    make_job()
    job = job_claim()
    assert job is not None
    interruption_look(job)
    close()
    with pytest.raises(JobPutBack) as back:
        interruption_look(job)
    assert (back.value.status, back.value.outcome) == (JobStatus.QUEUED, AttemptOutcome.HOURS_ENDED)
    opens_at = queue_rules().schedule.next_open(timezone.now())
    assert opens_at is not None
    assert back.value.reason.startswith("Waits for the night shift: goes on to")
    assert f"at {opens_at.hour}:00. What it has read is kept." in back.value.reason


def test_a_running_job_that_was_told_now_goes_on_when_the_hours_end(anna: User) -> None:
    job = make_job()
    hours_set(ALL_WEEK, "UTC", who="anna")
    assert job_claim() == job
    job.refresh_from_db()
    assert job_run_now(job, anna)
    close()
    interruption_look(job)


@pytest.mark.parametrize("stops_running", [True, False])
def test_a_pause_puts_the_running_job_back_only_where_asked(stops_running: bool) -> None:
    make_job()
    job = job_claim()
    assert job is not None
    queue_pause(who="anna", why="a concert", stops_running=stops_running)
    if not stops_running:
        interruption_look(job)
        return
    with pytest.raises(JobPutBack, match=r"The queue is paused by anna \(a concert\). What it has read") as back:
        interruption_look(job)
    assert (back.value.status, back.value.outcome) == (JobStatus.QUEUED, AttemptOutcome.QUEUE_PAUSED)


def test_a_paused_queue_claims_nothing_and_goes_on() -> None:
    job = make_job()
    assert queue_pause(who="anna", why="a concert", stops_running=False)
    assert not queue_pause(who="ben", why="", stops_running=False)
    assert queue_pause(who="ben", why="now", stops_running=True)
    assert job_claim() is None
    assert not queue_sweep()
    assert queue_resume(who="anna")
    assert not queue_resume(who="anna")
    assert OrmQ.objects.count() == 1
    assert job_claim() == job
    changes = list(QueueChange.objects.order_by("pk").values_list("name", "who", "after"))
    assert changes == [
        ("pause", "anna", "paused, after the running job: a concert"),
        ("pause", "ben", "paused, the running job put back: now"),
        ("pause", "anna", "goes on"),
    ]


def test_every_change_of_the_hours_is_kept_and_nothing_else() -> None:
    night = [Opening(0, 1320, 360)]
    assert hours_set(night, "Europe/Berlin", who="anna")
    assert not hours_set(night, "Europe/Berlin", who="anna")
    assert hours_set((), "", who="ben")
    changes = list(QueueChange.objects.order_by("pk").values_list("who", "before", "after"))
    assert changes == [
        ("anna", "at any time", "Monday 22:00-06:00 (Europe/Berlin)"),
        ("ben", "Monday 22:00-06:00 (Europe/Berlin)", "at any time"),
    ]


def test_each_host_has_its_own_hours(settings: Settings) -> None:
    close()
    job = make_job()
    assert job_claim() is None
    settings.HOST_ID = "another-machine"
    assert job_claim() == job


def test_hours_without_a_zone_follow_the_panels(settings: Settings) -> None:
    now = datetime(2026, 11, 25, 12, tzinfo=ZoneInfo("UTC"))
    hours_set([Opening(2, 12 * 60, 13 * 60)], "", who="anna")
    settings.TIME_ZONE = "UTC"
    assert queue_rules().schedule.is_open(now)
    settings.TIME_ZONE = "Europe/Berlin"
    assert not queue_rules().schedule.is_open(now)


@pytest.mark.parametrize(
    ("wish", "status", "outcome", "reason"),
    [
        ("cancel_requested", JobStatus.CANCELLED, AttemptOutcome.CANCELLED, "asked; its process has ended"),
        ("hold_requested", JobStatus.PAUSED, AttemptOutcome.HELD, "asked"),
    ],
)
def test_what_was_asked_meanwhile_is_done_when_a_run_ends_otherwise(
    wish: str, status: JobStatus, outcome: AttemptOutcome, reason: str
) -> None:
    make_job()
    job = job_claim()
    assert job is not None
    Job.objects.filter(pk=job.pk).update(**{wish: True, "reason": "asked"})
    assert job_leave(job, JobStatus.BLOCKED, "too hot", AttemptOutcome.BLOCKED, next_try_at=timezone.now())
    row = Job.objects.get()
    assert (row.status, row.reason, row.next_try_at, row.hold_requested) == (status, reason, None, False)
    assert row.attempts.get().outcome == outcome
    assert (row.finished_at is not None) is (status == JobStatus.CANCELLED)


def test_the_look_tells_what_a_person_asked_and_who_took_over() -> None:
    make_job()
    job = job_claim()
    assert job is not None
    Job.objects.update(hold_requested=True, reason="held by anna")
    with pytest.raises(JobPutBack, match="held by anna") as back:
        interruption_look(job)
    assert (back.value.status, back.value.outcome) == (JobStatus.PAUSED, AttemptOutcome.HELD)
    Job.objects.update(cancel_requested=True)
    with pytest.raises(JobCancelled):
        interruption_look(job)
    Job.objects.update(attempt=2)
    with pytest.raises(JobFenced):
        interruption_look(job)
