"""Years of use in one database, written as quickly as SQLite takes it."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from gate.models import Incident
from transcribe.models import Attempt, Chunk, Job, JobEvent
from transcribe.states import ChunkStatus, JobStatus

JOBS, WAITING, HELD = 20_000, 300, 100
SAMPLES, INCIDENTS = 1_000_000, 5_000
LONG_JOB_SEGMENTS, SEGMENTS_EACH = 5_000, 25  # with 20 000 jobs: 500 000 segments
RATE = 16_000

_COUNT = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %s) "
_SAMPLES = (
    "INSERT INTO gate_sensorsample (host, taken_at, celsius, sensor, available_bytes, total_bytes, swap_used_bytes, "
    "load1, fan_rpm) "
    + _COUNT
    + "SELECT %s, strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '-' || (i * 15) || ' seconds'), 45 + i %% 20, 'coretemp', "
    "8000000000 + i, 16000000000, 0, 0.5, 1200 FROM n"
)
_SEGMENTS = (
    'INSERT INTO transcribe_segment (job_id, chunk_id, "index", start_seconds, end_seconds, text) '
    + _COUNT
    + "SELECT c.job_id, c.id, n.i, n.i * 2, n.i * 2 + 1.5, 'These are the words of one segment, number ' || n.i "
    "FROM transcribe_chunk c JOIN n WHERE c.status = 'done' AND n.i < %s AND c.id {which} %s"
)


@transaction.atomic
def fill() -> int:
    """The number of the job with the long text."""
    jobs = _jobs()
    long_job = jobs[-1].pk
    _chunks(jobs)
    chunk = Chunk.objects.get(job_id=long_job).pk
    with connection.cursor() as cursor:
        cursor.execute(_SAMPLES, [SAMPLES, settings.HOST_ID])
        cursor.execute(_SEGMENTS.format(which="<>"), [SEGMENTS_EACH, SEGMENTS_EACH, chunk])
        cursor.execute(_SEGMENTS.format(which="="), [LONG_JOB_SEGMENTS, LONG_JOB_SEGMENTS, chunk])
    _incidents()
    return long_job


def _jobs() -> list[Job]:
    now, waiting = timezone.now(), WAITING + HELD
    statuses = [JobStatus.SUCCEEDED] * (JOBS - waiting) + [JobStatus.QUEUED] * WAITING + [JobStatus.PAUSED] * HELD
    statuses.append(JobStatus.RUNNING)
    jobs = Job.objects.bulk_create([_job(number, status, now) for number, status in enumerate(statuses)])
    JobEvent.objects.bulk_create([JobEvent(job=job, new=new) for job in jobs for new in ("queued", "blocked")])
    Attempt.objects.bulk_create(
        Attempt(job=job, number=1, host=settings.HOST_ID, started_at=job.created_at, ended_at=job.finished_at,
                outcome="succeeded" if job.finished_at else "", peak_bytes=300_000_000)
        for job in jobs if job.started_at
    )  # fmt: skip
    JobEvent.objects.update(at=now - timedelta(days=400))
    return jobs


def _job(number: int, status: JobStatus, now: object) -> Job:
    at = timezone.now() - timedelta(minutes=25 * (JOBS - number))
    begun = status in (JobStatus.SUCCEEDED, JobStatus.RUNNING)
    return Job(
        title=f"Recording {number}", original_name="talk.wav", audio_sha256="a" * 64, audio_bytes=1000,
        duration_seconds=1200.0, model="demo", owner="worker", status=status, created_at=at,
        started_at=at if begun else None, finished_at=at if status is JobStatus.SUCCEEDED else None, attempt=int(begun),
    )  # fmt: skip


def _chunks(jobs: list[Job]) -> None:
    Chunk.objects.bulk_create(
        Chunk(job=job, index=0, start_sample=0, end_sample=1200 * RATE, finished_at=job.finished_at,
              status=ChunkStatus.DONE if job.started_at else ChunkStatus.PENDING)
        for job in jobs
    )  # fmt: skip


def _incidents() -> None:
    now = timezone.now()
    moments = [now - timedelta(hours=2 * number) for number in range(INCIDENTS)]
    Incident.objects.bulk_create(
        Incident(host=settings.HOST_ID, kind="gate_blocked", subject=f"{number}", status="resolved",
                 summary="It was hot.", first_at=at, last_at=at)
        for number, at in enumerate(moments)
    )  # fmt: skip
