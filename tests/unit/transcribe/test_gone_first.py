"""A job is told to have stopped only when the processes of its engine are gone, and not a moment before."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from pytest_django import Settings

from gate.core.identity import group_members
from gate.services import lock_acquire, lock_release
from tests.support.jobs import make_job
from transcribe.models import Attempt, AttemptOutcome, Job
from transcribe.services import queue_sweep
from transcribe.services.claims import job_claim, jobs_recover_worker
from transcribe.services.jobs import job_cancel
from transcribe.services.progress import job_leave
from transcribe.slot import EngineSlot
from transcribe.states import JobStatus

LEADER = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=sys.stdin)
print("up", flush=True)
child.wait()
"""


class HalfKilled:
    """Stands for an engine with a process that SIGKILL does not end at once: killing it ends the leader alone."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", LEADER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"up\n"
        self.pid = self.process.pid

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(60)

    def end_the_rest(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()  # what is left reads to the end of it
        assert self.process.stdout is not None
        self.process.stdout.close()


def test_the_slot_waits_until_the_last_process_of_the_group_is_gone() -> None:
    engine, slot = HalfKilled(), EngineSlot()
    slot._engine = engine  # type: ignore[assignment]
    killing = threading.Thread(target=slot.kill, daemon=True)
    try:
        killing.start()
        engine.process.wait(60)
        assert group_members(engine.pid), "the child of the ended leader still runs"
        killing.join(1.0)
        assert killing.is_alive(), "told to be gone while a process of the group runs"
    finally:
        engine.end_the_rest()
    killing.join(60)
    assert not killing.is_alive()
    assert group_members(engine.pid) == ()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wish", "status"), [("cancel_requested", JobStatus.CANCELLED), ("hold_requested", JobStatus.PAUSED)]
)
def test_a_job_of_a_lost_worker_stays_stopping_while_its_engine_holds_the_lock(
    settings: Settings, tmp_path: Path, wish: str, status: JobStatus
) -> None:
    settings.GATE_LOCK_PATH = tmp_path / "locks" / "whisper_large.lock"
    make_job()
    job = job_claim()
    assert job is not None
    Job.objects.update(**{wish: True, "reason": "asked by anna"})
    held = lock_acquire(model="demo", job_ref=f"job {job.pk}")
    try:
        assert jobs_recover_worker() == 0
        assert Job.objects.get().status == JobStatus.RUNNING
        assert queue_sweep(), "the sweeper asks again"
    finally:
        lock_release(held)
    assert jobs_recover_worker() == 1
    row = Job.objects.get()
    assert (row.status, row.hold_requested) == (status, False)
    assert Attempt.objects.get().outcome == AttemptOutcome.WORKER_LOST


@pytest.mark.django_db
def test_an_engine_of_another_job_is_no_reason_to_wait(settings: Settings, tmp_path: Path) -> None:
    settings.GATE_LOCK_PATH = tmp_path / "locks" / "whisper_large.lock"
    make_job()
    job = job_claim()
    assert job is not None
    Job.objects.update(cancel_requested=True)
    held = lock_acquire(model="demo", job_ref=f"job {job.pk + 1}")
    try:
        assert jobs_recover_worker() == 1
    finally:
        lock_release(held)
    assert Job.objects.get().status == JobStatus.CANCELLED


@pytest.mark.django_db
def test_a_job_that_is_cancelled_while_it_stops_to_be_held_is_cancelled() -> None:
    """The second wish comes while the processes of the first are being ended."""
    make_job()
    job = job_claim()
    assert job is not None
    Job.objects.update(hold_requested=True, reason="held by anna")
    assert job_cancel(Job.objects.get(), None)
    job_leave(job, JobStatus.PAUSED, "held by anna", AttemptOutcome.HELD)
    row = Job.objects.get()
    assert (row.status, row.finished_at is not None) == (JobStatus.CANCELLED, True)
    assert Attempt.objects.get().outcome == AttemptOutcome.CANCELLED
