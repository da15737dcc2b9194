from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from tests.support.jobs import make_job
from transcribe.conf import work_dir
from transcribe.models import Attempt, AttemptOutcome, Chunk, Job
from transcribe.retries import RETRY_CAP_SECONDS
from transcribe.services.claims import (
    command_owner,
    job_claim,
    job_claim_this,
    jobs_recover_commands,
    jobs_recover_worker,
)
from transcribe.services.jobs import job_cancel
from transcribe.services.wake import queue_sweep
from transcribe.states import ChunkStatus, JobStatus

pytestmark = pytest.mark.django_db


def in_minutes(minutes: float) -> object:
    return timezone.now() + timedelta(minutes=minutes)


def ended_process() -> str:
    """The owner text of a command that is gone."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = command_owner(child.pid)
    child.communicate(b"\n")
    return owner


def test_it_claims_the_oldest_with_a_new_attempt() -> None:
    first, _ = make_job(), make_job()
    claimed = job_claim()
    assert claimed is not None
    assert (claimed.pk, claimed.status, claimed.attempt) == (first.pk, JobStatus.RUNNING, 1)
    assert (claimed.host, Attempt.objects.get().number) == (settings.HOST_ID, 1)


def test_it_leaves_a_blocked_job_until_its_next_try() -> None:
    blocked = make_job(status=JobStatus.BLOCKED, next_try_at=in_minutes(1))
    other = make_job()
    assert job_claim() == other
    assert job_claim() is None
    Job.objects.filter(pk=blocked.pk).update(next_try_at=in_minutes(-1))
    assert job_claim() == blocked


@pytest.mark.parametrize("status", [s for s in JobStatus if s not in (JobStatus.QUEUED, JobStatus.BLOCKED)])
def test_it_claims_nothing_that_does_not_wait(status: JobStatus) -> None:
    make_job(status=status)
    assert job_claim() is None


def test_the_worker_leaves_jobs_of_a_command_alone() -> None:
    job = make_job(owner=command_owner(os.getpid()))
    assert job_claim() is None
    assert job_claim_this(job)
    assert not job_claim_this(Job.objects.get())


def test_a_job_of_a_lost_worker_is_queued_again() -> None:
    make_job()
    job = job_claim()
    assert job is not None
    Chunk.objects.create(job=job, index=0, start_sample=0, end_sample=1, status=ChunkStatus.RUNNING)
    assert jobs_recover_worker() == 1
    assert Job.objects.get().status == JobStatus.QUEUED
    assert Attempt.objects.get().outcome == AttemptOutcome.WORKER_LOST
    assert Chunk.objects.get().status == ChunkStatus.PENDING


def test_a_cancel_that_met_a_lost_worker_is_carried_out() -> None:
    make_job()
    job_claim()
    Job.objects.update(cancel_requested=True)
    jobs_recover_worker()
    assert Job.objects.get().status == JobStatus.CANCELLED


def test_a_job_under_a_former_name_of_the_machine_is_not_left_running() -> None:
    """The host was renamed, or had no name yet when the service started; SQLite serves one machine."""
    make_job(status=JobStatus.RUNNING, host="localhost")
    make_job(status=JobStatus.RUNNING, host="localhost", owner=ended_process())
    assert queue_sweep(), "it takes back the command's, and wakes the worker for its own"
    assert jobs_recover_worker() == 1
    assert set(Job.objects.values_list("status", "owner")) == {("queued", "worker")}


def test_a_worker_with_a_database_of_several_machines_recovers_only_its_own_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "vendor", "postgresql")
    make_job(status=JobStatus.RUNNING, host="another-machine")
    make_job(status=JobStatus.RUNNING, host="another-machine", owner=ended_process())
    assert (jobs_recover_worker(), jobs_recover_commands()) == (0, 0)


def test_jobs_of_a_command_that_is_gone_go_to_the_worker() -> None:
    owner = ended_process()
    waiting = make_job(owner=owner)
    running = make_job(owner=owner, status=JobStatus.RUNNING, host=settings.HOST_ID)
    assert jobs_recover_commands() == 2
    assert set(Job.objects.values_list("pk", "status", "owner")) == {
        (waiting.pk, "queued", "worker"),
        (running.pk, "queued", "worker"),
    }


def test_jobs_of_a_living_command_stay_with_it() -> None:
    make_job(owner=command_owner(os.getpid()), status=JobStatus.RUNNING, host=settings.HOST_ID)
    assert jobs_recover_commands() == 0


def test_a_recycled_pid_is_not_taken_for_the_command() -> None:
    kind, pid, ticks = command_owner(os.getpid()).split()
    make_job(owner=f"{kind} {pid} {int(ticks) - 1}", status=JobStatus.RUNNING, host=settings.HOST_ID)
    assert jobs_recover_commands() == 1


def test_the_sweeper_wakes_once_for_due_jobs() -> None:
    assert not queue_sweep()
    make_job(status=JobStatus.BLOCKED, next_try_at=in_minutes(1))
    assert not queue_sweep()
    Job.objects.update(next_try_at=in_minutes(-1))
    assert queue_sweep()
    assert not queue_sweep()
    assert OrmQ.objects.count() == 1


def test_the_sweeper_wakes_for_a_job_that_runs_in_no_hands() -> None:
    """Left so by a database that was locked for long: no wake-up is in its table any more."""
    make_job(status=JobStatus.RUNNING, host=settings.HOST_ID, attempt=1)
    assert queue_sweep()
    assert not queue_sweep()


def test_a_claim_starts_where_the_last_checkpoint_ends() -> None:
    job = make_job(position_seconds=900.0)
    Chunk.objects.create(job=job, index=0, start_sample=0, end_sample=9_600_000, status=ChunkStatus.DONE)
    Chunk.objects.create(job=job, index=1, start_sample=9_600_000, end_sample=19_200_000)
    claimed = job_claim()
    assert claimed is not None
    assert claimed.position_seconds == 600.0


def test_a_cancelled_waiting_job_leaves_no_decoded_audio() -> None:
    job = make_job(status=JobStatus.BLOCKED)
    work_dir(job.pk).mkdir(parents=True)
    (work_dir(job.pk) / "audio.pcm").write_bytes(b"sound")
    assert job_cancel(job, None)
    assert not work_dir(job.pk).exists()


def test_a_next_try_beyond_all_waits_is_of_a_clock_that_was_wrong() -> None:
    """Written when the clock stood years ahead (an empty battery): the job would wait for years."""
    longest = max(RETRY_CAP_SECONDS, settings.GATE_RETRY_SECONDS) / 60
    job = make_job(status=JobStatus.BLOCKED, next_try_at=in_minutes(longest - 1))
    assert job_claim() is None
    Job.objects.update(next_try_at=in_minutes(3 * 365 * 24 * 60))
    assert queue_sweep()
    claimed = job_claim()
    assert claimed is not None
    assert claimed.pk == job.pk
