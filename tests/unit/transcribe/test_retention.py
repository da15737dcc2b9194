"""What is kept and what goes: by age and size, never what is in use or protected, never through a link."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from gate.models import LockEvent, VerdictRecord
from gate.services import TimeSpan, protect_paths, protect_spans, protection
from tests.support.jobs import make_job
from transcribe.models import Job
from transcribe.retention import LogFile, RetentionPolicy, logs_outdated, tidy
from transcribe.states import JobStatus

DAY = 86_400.0
POLICY = RetentionPolicy(log_days=90, log_bytes=1000, record_days=365, job_days=None)
UPLOAD = "0123456789abcdef0123456789abcdef.mp3"


@pytest.fixture(autouse=True)
def folders(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    settings.LOG_DIR, settings.WORK_DIR = tmp_path / "var" / "logs", tmp_path / "var" / "work"
    settings.MEDIA_ROOT = tmp_path / "var" / "uploads"
    settings.FILE_UPLOAD_TEMP_DIR = settings.MEDIA_ROOT / "incoming"
    settings.HOST_ID = "mini"
    for path in (settings.LOG_DIR, settings.WORK_DIR, settings.FILE_UPLOAD_TEMP_DIR):
        path.mkdir(parents=True)
    before = list(protection._span_sources), list(protection._path_sources)
    yield tmp_path / "var"
    protection._span_sources[:], protection._path_sources[:] = before


def aged(path: Path, days: float, size: int = 10) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (time.time() - days * DAY,) * 2)
    return path


def log(folders: Path, job: Job, days: float, size: int = 10, attempt: int = 1) -> Path:
    return aged(folders / "logs" / f"engine-20260101-120000-job-{job.pk}-attempt-{attempt}.log", days, size)


def ended(**values: object) -> Job:
    return make_job(**{"status": JobStatus.SUCCEEDED, "finished_at": timezone.now(), **values})


def removed(policy: RetentionPolicy = POLICY, *, dry_run: bool = False) -> dict[str, tuple[int, int | None]]:
    return {one.what: (one.count, one.size_bytes) for one in tidy(policy, dry_run=dry_run) if one.count}


# ── the rule ─────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("ages_and_sizes", "outdated"),
    [
        ([(89.9, 10), (90.1, 10)], [1]),
        ([(1, 500), (2, 500), (3, 1)], [2]),
        ([(1, 500), (2, 501), (3, 500)], [1, 2]),
        ([(1, 5000)], []),
        ([(100, 10)], [0]),
        ([], []),
    ],
)
def test_a_log_goes_by_age_or_when_newer_ones_fill_the_room(
    ages_and_sizes: list[tuple[float, int]], outdated: list[int]
) -> None:
    logs = [
        LogFile(name=str(at), size_bytes=size, modified_at=1e9 - age * DAY)
        for at, (age, size) in enumerate(ages_and_sizes)
    ]
    assert [int(one.name) for one in logs_outdated(logs, 1e9, POLICY)] == outdated


# ── files ────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.django_db
def test_old_logs_go_and_it_says_how_much(folders: Path) -> None:
    job = ended()
    old, new, other = log(folders, job, 91, 300), log(folders, job, 1, 300, 2), aged(folders / "logs" / "mine.log", 999)
    assert removed(dry_run=True) == {"engine logs": (1, 300)}
    assert old.exists()
    assert removed() == {"engine logs": (1, 300)}
    assert (old.exists(), new.exists(), other.exists()) == (False, True, True)
    assert removed() == {}


@pytest.mark.django_db
@pytest.mark.parametrize("status", [JobStatus.RUNNING, JobStatus.QUEUED, JobStatus.BLOCKED, JobStatus.PAUSED])
def test_what_a_job_uses_that_has_not_ended_stays(folders: Path, status: JobStatus) -> None:
    job = make_job(status=status, audio=UPLOAD)
    kept = [log(folders, job, 999), aged(folders / "work" / f"job-{job.pk}" / "audio.pcm", 999)]
    kept.append(aged(folders / "uploads" / UPLOAD, 999))
    assert removed(RetentionPolicy(log_days=1, log_bytes=1, record_days=1, job_days=1)) == {}
    assert all(path.exists() for path in kept)


@pytest.mark.django_db
def test_work_of_ended_and_deleted_jobs_goes(folders: Path) -> None:
    job = ended()
    for name in (f"job-{job.pk}", "job-999"):
        aged(folders / "work" / name / "audio.pcm", 0, 100)
    aged(folders / "work" / "mine" / "notes", 999)
    assert removed() == {"work folders of ended jobs": (2, 200)}
    assert [path.name for path in (folders / "work").iterdir()] == ["mine"]


@pytest.mark.django_db
@pytest.mark.parametrize("status", [JobStatus.INCOMPLETE, JobStatus.FAILED, JobStatus.CANCELLED])
def test_journals_stay_while_a_person_may_try_the_job_again(folders: Path, status: JobStatus) -> None:
    """They spare the retry what was decoded; a job that succeeded, or is deleted, needs none."""
    job, done = ended(status=status), ended()
    kept = aged(folders / "work" / f"job-{job.pk}" / "chunk-1.journal", 999)
    audio = aged(folders / "work" / f"job-{job.pk}" / "audio.pcm", 0, 100)
    for name in (f"job-{done.pk}", "job-999"):
        aged(folders / "work" / name / "chunk-0.journal", 0)
    expected = {"work folders of ended jobs": (3, 120)}
    assert removed(dry_run=True) == expected
    assert removed() == expected
    assert (kept.exists(), audio.exists()) == (True, False)
    assert [path.name for path in (folders / "work").iterdir()] == [f"job-{job.pk}"]
    assert removed() == {}
    assert kept.exists()


@pytest.mark.django_db
def test_a_recording_without_a_job_goes_after_a_day(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended(audio="f" * 32 + ".mp3")
    path, named = aged(folders / "uploads" / UPLOAD, 2, 70), aged(folders / "uploads" / ("f" * 32 + ".mp3"), 999)
    mine = aged(folders / "uploads" / "my own file.mp3", 999)
    assert removed() == {}  # it has only just appeared, whatever its time says
    later = time.time() + 2 * DAY
    monkeypatch.setattr("transcribe.retention.time.time", lambda: later)
    assert removed() == {"recordings without a job": (1, 70)}
    assert (path.exists(), named.exists(), mine.exists()) == (False, True, True)


@pytest.mark.django_db
def test_nothing_is_removed_through_a_link(folders: Path, tmp_path: Path) -> None:
    """Links in the place of a file, of a job's folder, inside of it, and of the whole folder of logs."""
    job = ended()
    precious = aged(tmp_path / "precious" / "thesis.txt", 999)
    secret = aged(tmp_path / "precious" / f"engine-20260101-120000-job-{job.pk}-attempt-1.log", 999)
    (folders / "logs" / f"engine-20260101-120000-job-{job.pk}-attempt-2.log").symlink_to(precious)
    (folders / "work" / f"job-{job.pk}").symlink_to(precious.parent, target_is_directory=True)
    inside = folders / "work" / "job-998"
    inside.mkdir()
    (inside / "link").symlink_to(precious.parent, target_is_directory=True)
    removed()
    assert (precious.exists(), secret.exists(), inside.exists()) == (True, True, False)
    (folders / "logs").rename(folders / "real")
    (folders / "logs").symlink_to(precious.parent, target_is_directory=True)
    removed()
    assert (precious.exists(), secret.exists()) == (True, True)


@pytest.mark.django_db
def test_what_is_protected_stays(folders: Path) -> None:
    job = ended(audio=UPLOAD)
    paths = [log(folders, job, 999), aged(folders / "work" / "job-777" / "audio.pcm", 999)]
    free = log(folders, job, 999, attempt=2)
    protect_paths(lambda: [paths[0], folders / "work" / "job-777" / "audio.pcm"])
    removed()
    assert ([path.exists() for path in paths], free.exists()) == ([True, True], False)


@pytest.mark.django_db
def test_when_it_cannot_be_asked_what_is_protected_nothing_goes(folders: Path) -> None:
    path = log(folders, ended(), 999)

    def broken() -> list[Path]:
        raise LookupError("no incidents")

    protect_paths(broken)
    with pytest.raises(LookupError):
        removed()
    assert path.exists()


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────
def record(days: float, host: str = "mini") -> None:
    at = timezone.now() - timedelta(days=days)
    VerdictRecord.objects.create(
        host=host, taken_at=at, last_at=at, model="demo", purpose="start", admitted=True, reason="", data={}
    )
    LockEvent.objects.create(host=host, kind="acquired", at=at)


@pytest.mark.django_db
def test_old_records_of_this_machine_go_but_not_of_a_protected_time() -> None:
    for days in (364, 366, 500):
        record(days)
    record(366, host="other")
    middle = timezone.now() - timedelta(days=500)
    protect_spans(lambda: [TimeSpan(middle - timedelta(hours=1), middle + timedelta(hours=1))])
    assert removed() == {"verdicts": (1, None), "lock events": (1, None)}
    assert (VerdictRecord.objects.count(), LockEvent.objects.count()) == (3, 3)


@pytest.mark.django_db
def test_jobs_stay_for_ever_unless_a_setting_says_otherwise(folders: Path) -> None:
    long_ago = timezone.now() - timedelta(days=5000)
    old = ended(created_at=long_ago, finished_at=long_ago, audio=UPLOAD)
    new = ended()
    recording = aged(folders / "uploads" / UPLOAD, 5000)
    assert removed() == {}
    for_a_year = RetentionPolicy(log_days=90, log_bytes=1000, record_days=365, job_days=365)
    assert removed(for_a_year, dry_run=True) == {"jobs with their recordings": (1, old.audio_bytes)}
    protect_spans(lambda: [TimeSpan(long_ago, long_ago)])
    assert removed(for_a_year) == {}
    protection._span_sources.clear()
    assert removed(for_a_year) == {"jobs with their recordings": (1, old.audio_bytes)}
    assert (list(Job.objects.all()), recording.exists()) == ([new], False)


@pytest.mark.django_db
def test_the_command_says_what_it_removes(folders: Path) -> None:
    path = log(folders, ended(), 91, 2048)
    said = io.StringIO()
    call_command("tidy", "--dry-run", stdout=said)
    assert path.exists()
    call_command("tidy", stdout=said)
    call_command("tidy", stdout=said)
    assert said.getvalue().splitlines() == [
        "Would remove 1 engine logs, 2.0 KiB.",
        "Removed 1 engine logs, 2.0 KiB.",
        "Nothing to remove.",
    ]
    assert not path.exists()
