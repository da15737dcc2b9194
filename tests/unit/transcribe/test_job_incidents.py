"""What runs of jobs tell of incidents, and what the sampler finds among waiting jobs."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from pytest_django import Settings

from gate.core.incidents.kinds import IncidentKind
from gate.core.incidents.lifecycle import IncidentStatus
from gate.models import Incident
from gate.services import PURPOSE_START, gate_evaluate, incident_open_or_join
from gate.services.incident_keeping import incident_paths
from tests.support.jobs import make_job
from tests.support.occurrences import occurrence
from transcribe.engine_logs import log_begin
from transcribe.errors import EngineLost
from transcribe.models import Attempt, AttemptOutcome, Chunk, Job
from transcribe.resolve import model_requirement
from transcribe.runner import _after_loss
from transcribe.services.claims import job_claim, jobs_recover_worker
from transcribe.services.incidents import blocked_since, long_blocks_report, recovery_note, running_work
from transcribe.states import ChunkStatus, JobStatus

pytestmark = pytest.mark.django_db
NOW = timezone.now


@pytest.fixture(autouse=True)
def _own(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "var"
    settings.GATE_LOCK_PATH = tmp_path / "locks" / "whisper_large.lock"
    Incident.objects.all().delete()


def told() -> list[tuple[str, str, str]]:
    return [(row.kind, row.subject, row.status) for row in Incident.objects.order_by("pk")]


def running(chunks: int = 2) -> Job:
    make_job()
    job = job_claim()
    assert job is not None
    for index in range(chunks):
        Chunk.objects.create(job=job, index=index, start_sample=index, end_sample=index + 1)
    return job


def refused(job: Job, number: int, minutes_ago: float, **values: object) -> None:
    ended = NOW() - timedelta(minutes=minutes_ago)
    facts: dict[str, object] = {"outcome": AttemptOutcome.BLOCKED, "started_at": ended, "ended_at": ended, **values}
    Attempt.objects.create(job=job, number=number, host=django_settings.HOST_ID, **facts)


def minutes_since(moment: datetime | None) -> int | None:
    return None if moment is None else round((NOW() - moment).total_seconds() / 60)


# ── blocked for long ─────────────────────────────────────────────────────────────────────────────
def test_a_job_is_blocked_since_the_first_refusal_after_its_engine_last_ran() -> None:
    job = make_job()
    assert blocked_since(job) is None
    refused(job, 1, 90)
    refused(job, 2, 80)
    assert minutes_since(blocked_since(job)) == 90
    refused(job, 3, 50, engine_pid=7, decoded_windows=9)  # it read, and was blocked before a further chunk
    refused(job, 4, 40)
    assert minutes_since(blocked_since(job)) == 50
    refused(job, 5, 30, outcome=AttemptOutcome.STOPPED)
    assert blocked_since(job) is None
    refused(job, 6, 20)
    Attempt.objects.create(job=job, number=7, host="x")  # being asked right now
    assert minutes_since(blocked_since(job)) == 20


@pytest.mark.parametrize(("minutes", "count"), [(29, 0), (31, 1)])
def test_a_job_that_waits_longer_than_the_setting_opens_one(minutes: float, count: int) -> None:
    job = make_job(status=JobStatus.BLOCKED, reason="The lock is held.")
    refused(job, 1, minutes)
    for _ in range(3):
        long_blocks_report()
    assert told() == [("gate_blocked", "lock", IncidentStatus.OPEN)] * count
    if count:
        incident = Incident.objects.get()
        assert (incident.count, incident.job_ref) == (1, f"job {job.pk}")
        assert minutes_since(incident.first_at) == 31
        assert [measure.name for measure in incident.measure_list] == ["wait"]


def test_it_names_the_check_with_its_figures_and_ends_when_the_job_was_admitted(settings: Settings) -> None:
    settings.GATE_MARGIN_BYTES = 10**15
    job = make_job(status=JobStatus.BLOCKED, reason="Blocked by memory.")
    refused(job, 1, 40)
    verdict = gate_evaluate(model_requirement("demo"), purpose=PURPOSE_START, job_ref=str(job.pk))
    assert not verdict.admitted
    long_blocks_report()
    assert told() == [("gate_blocked", "memory", IncidentStatus.OPEN)]
    memory = Incident.objects.get().measure_list[1]
    assert (memory.name, memory.at_least, memory.is_violated) == ("memory", True, True)
    Job.objects.update(status=JobStatus.RUNNING)
    long_blocks_report()
    assert told() == [("gate_blocked", "memory", IncidentStatus.RESOLVED)]


def test_many_jobs_that_wait_for_one_check_are_one(settings: Settings) -> None:
    settings.LONG_BLOCK_SECONDS = 60
    for _ in range(5):
        refused(make_job(status=JobStatus.BLOCKED), 1, 10)
    long_blocks_report()
    assert told() == [("gate_blocked", "lock", IncidentStatus.OPEN)]


@pytest.mark.parametrize(
    ("outcome", "subject"),
    [(AttemptOutcome.NO_DISK, "disk or database"), (AttemptOutcome.PRESSURE, "memory pressure")],
)
def test_what_is_no_check_of_the_gate_is_told_as_what_it_is(
    settings: Settings, outcome: AttemptOutcome, subject: str
) -> None:
    """Also when the gate had said no before, and what it said then is on record."""
    settings.GATE_MARGIN_BYTES = 10**15
    job = make_job(status=JobStatus.BLOCKED, reason="A disk is full. Free some space.")
    refused(job, 1, 40)
    gate_evaluate(model_requirement("demo"), purpose=PURPOSE_START, job_ref=str(job.pk))
    refused(job, 2, 29, outcome=outcome)
    long_blocks_report()
    assert told() == [("job_waits", subject, IncidentStatus.OPEN)]
    incident = Incident.objects.get()
    assert f"has waited 40 min, now for {subject}: A disk is full. Free some space." in incident.summary
    assert [measure.name for measure in incident.measure_list] == ["wait"]
    Job.objects.update(status=JobStatus.RUNNING)
    long_blocks_report()
    assert told() == [("job_waits", subject, IncidentStatus.RESOLVED)]


def test_when_the_gate_says_no_afterwards_its_check_is_named(settings: Settings) -> None:
    settings.GATE_MARGIN_BYTES = 10**15
    job = make_job(status=JobStatus.BLOCKED, reason="Blocked by memory.")
    refused(job, 1, 40, outcome=AttemptOutcome.NO_DISK)
    refused(job, 2, 0)
    gate_evaluate(model_requirement("demo"), purpose=PURPOSE_START, job_ref=str(job.pk))
    long_blocks_report()
    assert told() == [("gate_blocked", "memory", IncidentStatus.OPEN)]


# ── lost workers and engines ─────────────────────────────────────────────────────────────────────
def test_a_lost_worker_is_one_with_what_was_recovered() -> None:
    job = running()
    job.chunks.filter(index=0).update(status=ChunkStatus.DONE)
    assert jobs_recover_worker() == 1
    assert told() == [("worker_lost", "worker", IncidentStatus.OPEN)]
    assert Incident.objects.get().recovery == f"job {job.pk} “Talk” was queued again; 1 finished chunk is kept."


def test_an_attempt_of_an_earlier_boot_is_told_by_the_unclean_shutdown() -> None:
    job = running()
    shutdown = incident_open_or_join(
        occurrence(kind=IncidentKind.UNCLEAN_SHUTDOWN, subject="machine", at=NOW().timestamp())
    )
    Attempt.objects.update(started_at="2001-01-01T00:00:00Z")
    assert jobs_recover_worker() == 1
    assert told() == [("unclean_shutdown", "machine", IncidentStatus.OPEN)]
    started = NOW() - timedelta(seconds=20)
    for _ in range(3):
        recovery_note(since=started)
    shutdown.refresh_from_db()
    assert shutdown.recovery == f"job {job.pk} “Talk”, attempt 1, was queued again; no chunk of it was finished."
    assert shutdown.events.filter(kind="recovered").count() == 1


def test_long_after_the_start_nothing_is_added() -> None:
    running()
    shutdown = incident_open_or_join(
        occurrence(kind=IncidentKind.UNCLEAN_SHUTDOWN, subject="machine", at=NOW().timestamp())
    )
    Attempt.objects.update(started_at="2001-01-01T00:00:00Z")
    jobs_recover_worker()
    recovery_note(since=NOW() - timedelta(minutes=11))
    shutdown.refresh_from_db()
    assert shutdown.recovery == ""


def loss(*, hung_after_seconds: float | None = None, is_oom: bool = False) -> EngineLost:
    facts = {"hung_after_seconds": hung_after_seconds, "is_oom": is_oom}
    return EngineLost("The engine ended.", exit_code=None, output_tail="its last line", **facts)  # type: ignore[arg-type]


def test_a_hung_engine_is_one_with_the_end_of_its_log() -> None:
    job = running()
    Attempt.objects.update(log_name="engine-7.log")
    _after_loss(job, job.chunks.get(index=0), loss(hung_after_seconds=42))
    assert told() == [("engine_hung", "model demo", IncidentStatus.OPEN)]
    piece = Incident.objects.get().evidence.get()
    assert (piece.text, piece.file_name) == ("its last line", "engine-7.log")
    assert [measure.limit for measure in Incident.objects.get().measure_list] == [42]


def test_an_engine_that_the_kernel_killed_for_memory_is_one_at_once() -> None:
    job = running()
    _after_loss(job, None, loss(is_oom=True))
    assert told() == [("oom_kill", "model demo", IncidentStatus.OPEN)]
    assert Incident.objects.get().job_ref == f"job {job.pk}"


@pytest.mark.parametrize("part", ["chunk", "loading"])
def test_an_engine_that_is_lost_twice_is_one(part: str) -> None:
    for attempt in (1, 2):
        Job.objects.update(next_try_at=None)  # the time that it waits after a loss is over
        job = running() if attempt == 1 else job_claim()
        assert job is not None
        chunk = job.chunks.get(index=0) if part == "chunk" else None
        _after_loss(job, chunk, loss())
        expected = f"job {job.pk}, {'chunk 1' if part == 'chunk' else 'loading'}"
        assert told() == ([("engine_lost_twice", expected, IncidentStatus.OPEN)] if attempt == 2 else [])


@pytest.mark.parametrize("is_stored", [True, False], ids=["while it reads", "while it loads the model"])
@pytest.mark.parametrize("what", ["engine", "worker"])
def test_the_log_of_what_was_lost_is_kept(settings: Settings, tmp_path: Path, what: str, is_stored: bool) -> None:
    settings.LOG_DIR = tmp_path / "logs"
    job = running()
    log = log_begin(job).path
    log.touch()
    if is_stored:
        Attempt.objects.update(log_name=log.name)
    if what == "engine":
        _after_loss(job, None, loss(is_oom=True))
    else:
        jobs_recover_worker()
    assert log in incident_paths()


# ── for the black box ────────────────────────────────────────────────────────────────────────────
def test_it_says_which_job_and_chunk_runs() -> None:
    assert running_work().text == ""
    job = running(chunks=3)
    assert (running_work().job_ref, running_work().text) == (f"job {job.pk}", f"job {job.pk} “Talk”, starting")
    job.chunks.filter(index=1).update(status=ChunkStatus.RUNNING)
    assert running_work().text == f"job {job.pk} “Talk”, chunk 2 of 3"
