"""What is no fault of the recording ends no job: it waits, says why, and is tried again."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from django.db import connection
from pytest_django import Settings

from gate.models import VerdictRecord
from tests.support.machines import may_skip
from tests.support.runs import Control, run_once, submitted
from tests.support.speech_files import joined
from tests.support.weights_server import publishing
from tests.system.gate.test_other_machines import CGROUPS
from transcribe.models import Attempt, AttemptOutcome, Job
from transcribe.slot import EngineSlot
from transcribe.states import ChunkStatus, JobStatus

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("uploads")]


def kill_decoders() -> None:
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):  # it is dead already
            if any("prepare_child" in word for word in child.cmdline()):
                child.send_signal(signal.SIGKILL)


def test_a_killed_decoder_is_started_again(slot: EngineSlot) -> None:
    job = submitted()
    assert run_once(slot, Control(kill_decoders)) == JobStatus.QUEUED
    job.refresh_from_db()
    assert "ended by signal 9" in job.reason
    assert job.next_try_at is not None
    assert run_once(slot) == JobStatus.SUCCEEDED


def test_a_decoder_that_is_killed_every_time_ends_the_job(slot: EngineSlot) -> None:
    job = submitted()
    for number in range(1, 5):
        Attempt.objects.create(job=job, number=number, host="here", outcome=AttemptOutcome.NOT_PREPARED)
    Job.objects.update(attempt=4)
    assert run_once(slot, Control(kill_decoders)) == JobStatus.FAILED
    job.refresh_from_db()
    assert "This happened 5 times" in job.reason


def test_an_engine_that_runs_out_of_memory_is_started_again(slot: EngineSlot, tmp_path: Path) -> None:
    """A real limit: the loaded engine gets no more address space. Twice in one chunk sets the chunk aside."""
    job = submitted(joined(tmp_path / "long.wav", minutes=1).path)

    def starve() -> None:
        if slot._loaded is not None and slot._engine is not None and slot._engine.is_alive():
            now = psutil.Process(slot._engine.pid).memory_info().vms
            resource.prlimit(slot._engine.pid, resource.RLIMIT_AS, (now, now))

    assert run_once(slot, Control(starve)) == JobStatus.QUEUED
    job.refresh_from_db()
    assert "memory" in job.reason
    assert job.chunks.get().engine_losses == 1
    assert run_once(slot, Control(starve)) == JobStatus.FAILED
    assert job.chunks.get().status == ChunkStatus.QUARANTINED


@pytest.mark.parametrize(
    ("options", "said"),
    [("nr_inodes=1", "A disk is full (No space left on device"), ("ro", "A file could not be used (Read-only file")],
)
def test_a_disk_that_takes_no_file_keeps_it_waiting(
    slot: EngineSlot, settings: Settings, needs_root: None, options: str, said: str
) -> None:
    settings.WORK_DIR.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "j5a-test", str(settings.WORK_DIR)]
    tried = subprocess.run(mount, capture_output=True, text=True)
    if tried.returncode != 0:
        may_skip(f"no tmpfs could be mounted: {tried.stderr.strip()}")
    try:
        job = submitted()
        assert run_once(slot) == JobStatus.BLOCKED
        job.refresh_from_db()
        assert job.reason.startswith(said)
        assert job.attempts.get().outcome == AttemptOutcome.NO_DISK
    finally:
        subprocess.run(["umount", "-l", str(settings.WORK_DIR)], check=True)
    assert run_once(slot) == JobStatus.SUCCEEDED


@contextlib.contextmanager
def no_further_process() -> Iterator[None]:
    """This process in a control group that is full of it."""
    root = next((path for path in (CGROUPS / "pids", CGROUPS) if (path / "cgroup.procs").exists()), None)
    if root is None or (root == CGROUPS and "pids" not in (root / "cgroup.subtree_control").read_text().split()):
        may_skip("no control groups for the number of processes")
    assert root is not None
    name = root.name if root != CGROUPS else ""
    lines = (line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines())
    before = root / next(path for _, names, path in lines if names == name).lstrip("/")
    full = root / f"j5a-test-{uuid.uuid4().hex[:8]}"
    full.mkdir()
    try:
        (full / "pids.max").write_text("1")
        (full / "cgroup.procs").write_text(str(os.getpid()))
        yield
    finally:
        (before / "cgroup.procs").write_text(str(os.getpid()))
        full.rmdir()


def test_a_machine_that_takes_no_further_process_keeps_it_waiting(slot: EngineSlot, needs_root: None) -> None:
    job = submitted()
    with no_further_process():
        assert run_once(slot) == JobStatus.BLOCKED
    job.refresh_from_db()
    assert job.reason.startswith("No further process could be started (")
    assert run_once(slot) == JobStatus.SUCCEEDED


def test_a_database_that_refuses_the_end_of_a_run_gets_it_later(slot: EngineSlot, settings: Settings) -> None:
    """The gate says no, and that cannot be written at first: no other run has to take the job back for lost."""
    settings.GATE_MARGIN_BYTES = 1 << 60
    job = submitted()

    def sql(statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    def take_it_now() -> None:
        if VerdictRecord.objects.exists():
            sql("DROP TRIGGER IF EXISTS refuse")

    sql(
        "CREATE TRIGGER refuse BEFORE UPDATE OF status ON transcribe_job WHEN NEW.status = 'blocked' "
        "BEGIN SELECT RAISE(FAIL, 'database is locked'); END"
    )
    try:
        assert run_once(slot, Control(take_it_now)) == JobStatus.BLOCKED
    finally:
        sql("DROP TRIGGER IF EXISTS refuse")
    job.refresh_from_db()
    assert job.reason.startswith("Another program keeps the database locked")
    assert job.attempts.get().outcome == AttemptOutcome.NO_DISK


def test_weights_that_do_not_fit_on_the_disk_keep_it_waiting(
    slot: EngineSlot, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transcribe.weights.SPARE_DISK_BYTES", 1 << 60)  # a disk with less than that free
    job = submitted()
    Job.objects.update(model="tiny")
    with publishing(b"weights" * 1000) as publisher:
        settings.MODELS_DIR, settings.WEIGHTS_URL = tmp_path / "models", publisher.url
        assert run_once(slot) == JobStatus.BLOCKED
    job.refresh_from_db()
    assert "Free some space, then try again. Finished chunks are kept" in job.reason
