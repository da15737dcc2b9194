"""A time still to go is told only when it was measured: on this job, or on this machine with this model."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.support.markup import facts
from tests.support.rows import RATE, in_status, queued, running
from transcribe.models import Chunk, Job
from transcribe.selectors import queue_entries
from transcribe.selectors.jobs import remaining_seconds
from transcribe.selectors.pace import Work, pace_for, pace_of_model, work_sum
from transcribe.states import ChunkStatus, JobStatus

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def done_chunk(job: Job, *, audio_seconds: float, work_seconds: float, index: int = 0) -> Chunk:
    return Chunk.objects.create(
        job=job,
        index=index,
        start_sample=0,
        end_sample=int(audio_seconds * RATE),
        status=ChunkStatus.DONE,
        started_at=NOW - timedelta(seconds=work_seconds),
        finished_at=NOW,
    )


def running_chunk(job: Job, *, begun: datetime) -> Chunk:
    return Chunk.objects.create(
        job=job, index=1, start_sample=0, end_sample=1200 * RATE, status=ChunkStatus.RUNNING, started_at=begun
    )


@pytest.mark.parametrize(
    ("audio_seconds", "work_seconds", "pace"),
    [(29.9, 10.0, None), (30.0, 15.0, 0.5), (60.0, 0.0, None), (0.0, 10.0, None), (100.0, 250.0, 2.5)],
)
def test_less_than_one_window_says_nothing(audio_seconds: float, work_seconds: float, pace: float | None) -> None:
    assert Work(audio_seconds, work_seconds).pace == pace


def test_work_adds_up() -> None:
    assert work_sum([Work(10.0, 1.0), Work(20.0, 5.0)]) == Work(30.0, 6.0)
    assert work_sum([]).pace is None


def test_a_pause_is_no_work_and_what_was_taken_over_was_not_read() -> None:
    """Killed late in a chunk, or paused in it for an hour: the pace of the next one is the same."""
    job = running(position_seconds=590.0)
    chunk = running_chunk(job, begun=NOW - timedelta(seconds=3700))
    Chunk.objects.update(paused_seconds=3600.0, taken_over_seconds=540.0)
    assert pace_for(job, NOW) == pytest.approx(2.0)
    Chunk.objects.update(status=ChunkStatus.DONE, end_sample=590 * RATE, finished_at=NOW)
    assert pace_of_model(job.model) == pytest.approx(2.0)
    Chunk.objects.update(taken_over_seconds=chunk.end_sample)
    assert pace_of_model(job.model) is None


def test_nothing_measured_is_told_as_not_known(operator: Client) -> None:
    job = running()
    assert facts(operator.get(f"/jobs/{job.pk}/"), "job-live")["Still to go"] == "not known yet"


def test_its_own_chunks_are_the_measure(operator: Client) -> None:
    job = running(duration_seconds=1200.0, position_seconds=600.0)
    done_chunk(job, audio_seconds=600, work_seconds=300)
    assert facts(operator.get(f"/jobs/{job.pk}/"), "job-live")["Still to go"] == "about 5 min"


def test_the_part_of_the_chunk_that_was_read_counts() -> None:
    job = running(duration_seconds=1200.0, position_seconds=100.0)
    running_chunk(job, begun=NOW - timedelta(seconds=200))
    assert pace_for(job, NOW) == pytest.approx(2.0)
    assert remaining_seconds(job, NOW) == pytest.approx(2200.0)


def test_a_chunk_that_has_only_begun_says_nothing() -> None:
    job = running(position_seconds=0.0)
    running_chunk(job, begun=NOW - timedelta(seconds=200))
    assert remaining_seconds(job, NOW) is None


def test_the_past_of_the_model_is_the_measure_before_the_first_window() -> None:
    done_chunk(in_status(JobStatus.SUCCEEDED, model="demo"), audio_seconds=100, work_seconds=50)
    done_chunk(in_status(JobStatus.SUCCEEDED, model="tiny"), audio_seconds=100, work_seconds=900)
    assert pace_of_model("demo") == pytest.approx(0.5)
    assert remaining_seconds(running(duration_seconds=60.0), NOW) == pytest.approx(30.0)


def test_a_chunk_in_which_the_machine_slept_or_the_clock_was_set_says_nothing_about_the_next() -> None:
    for work_seconds in (50, 2 * 86_400, 60, -10_800, 70):
        done_chunk(in_status(JobStatus.SUCCEEDED, model="demo"), audio_seconds=100, work_seconds=work_seconds)
    assert pace_of_model("demo") == pytest.approx(0.65)


def test_another_model_says_nothing() -> None:
    done_chunk(in_status(JobStatus.SUCCEEDED, model="tiny"), audio_seconds=100, work_seconds=900)
    assert remaining_seconds(running(model="demo"), NOW) is None


def test_a_position_behind_the_end_leaves_nothing_to_do() -> None:
    job = running(duration_seconds=100.0, position_seconds=101.0)
    done_chunk(job, audio_seconds=100, work_seconds=50)
    assert remaining_seconds(job, NOW) == 0.0


def test_the_queue_adds_up_what_is_ahead() -> None:
    done_chunk(in_status(JobStatus.SUCCEEDED), audio_seconds=100, work_seconds=50)
    running(duration_seconds=100.0, position_seconds=40.0)
    queued(duration_seconds=60.0)
    queued(duration_seconds=60.0)
    assert [entry.ahead_seconds for entry in queue_entries(NOW)] == pytest.approx([30.0, 60.0])


def test_behind_a_job_without_measure_nothing_is_known() -> None:
    done_chunk(in_status(JobStatus.SUCCEEDED), audio_seconds=100, work_seconds=50)
    queued(duration_seconds=60.0)
    queued(model="tiny")
    queued()
    assert [entry.ahead_seconds for entry in queue_entries(NOW)] == [0.0, pytest.approx(30.0), None]


def test_only_running_jobs_show_an_estimate(operator: Client) -> None:
    for status in JobStatus:
        job = in_status(status)
        shown = facts(operator.get(f"/jobs/{job.pk}/"), "job-live")
        assert ("Still to go" in shown) is (status is JobStatus.RUNNING)
