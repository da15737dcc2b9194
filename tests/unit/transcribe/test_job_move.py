from __future__ import annotations

import pytest

from tests.support.jobs import make_job
from transcribe.models import Job, JobEvent
from transcribe.states import JobStatus

pytestmark = pytest.mark.django_db


def test_it_changes_the_status_and_writes_the_event() -> None:
    job = make_job()
    assert job.move(JobStatus.RUNNING, "go", attempt=1)
    assert Job.objects.get().status == JobStatus.RUNNING
    event = JobEvent.objects.get()
    assert (event.old, event.new, event.reason, event.attempt) == ("queued", "running", "go", 1)


def test_the_second_of_two_movers_changes_nothing() -> None:
    first = make_job()
    second = Job.objects.get()
    assert first.move(JobStatus.RUNNING, attempt=1)
    assert not second.move(JobStatus.CANCELLED, "too late")
    assert Job.objects.get().status == JobStatus.RUNNING
    assert JobEvent.objects.count() == 1


def test_a_run_with_an_old_attempt_changes_nothing() -> None:
    old = make_job(status=JobStatus.RUNNING, attempt=1)
    Job.objects.update(attempt=2)
    assert not old.move(JobStatus.SUCCEEDED)
    assert Job.objects.get().status == JobStatus.RUNNING


def test_it_refuses_a_step_that_is_not_in_the_table() -> None:
    job = make_job(status=JobStatus.SUCCEEDED)
    assert not job.move(JobStatus.QUEUED)
    assert JobEvent.objects.count() == 0


def test_it_clears_the_next_try() -> None:
    from django.utils import timezone

    job = make_job(status=JobStatus.BLOCKED, next_try_at=timezone.now())
    assert job.move(JobStatus.RUNNING)
    assert Job.objects.get().next_try_at is None
