"""Cancel, retry and delete: what becomes of the job, and what the person is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django_q.models import OrmQ

from tests.support.markup import element, messages
from tests.support.rows import add_chunks, in_status, running, submitted
from tests.support.uploading import stored_files
from transcribe.conf import work_dir
from transcribe.models import Chunk, Job, Segment
from transcribe.states import ENDED, RETRYABLE, ChunkStatus, JobStatus

pytestmark = pytest.mark.django_db


def act(client: Client, job: Job, name: str) -> Any:
    return client.post(f"/jobs/{job.pk}/{name}/", follow=True)


@pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.BLOCKED, JobStatus.PAUSED])
def test_a_waiting_job_is_cancelled_at_once(operator: Client, status: JobStatus) -> None:
    job = in_status(status)
    answer = act(operator, job, "cancel")
    job.refresh_from_db()
    assert (job.status, job.reason) == (JobStatus.CANCELLED, "cancelled by operator")
    assert messages(answer) == ["“Talk” is cancelled."]
    assert answer.redirect_chain == [(f"/jobs/{job.pk}/", 302)]


def test_a_running_job_is_asked_to_stop(operator: Client) -> None:
    job = running()
    answer = act(operator, job, "cancel")
    job.refresh_from_db()
    assert (job.status, job.cancel_requested) == (JobStatus.RUNNING, True)
    assert messages(answer) == ["Stopping. The job counts as cancelled once its process is gone."]


@pytest.mark.parametrize("status", sorted(ENDED))
def test_an_ended_job_cannot_be_cancelled(operator: Client, status: JobStatus) -> None:
    job = in_status(status)
    answer = act(operator, job, "cancel")
    job.refresh_from_db()
    assert job.status == status
    assert messages(answer) == ["There is nothing to cancel: “Talk” has ended."]


@pytest.mark.parametrize("status", sorted(RETRYABLE))
def test_an_ended_job_is_queued_again_and_keeps_its_finished_chunks(operator: Client, status: JobStatus) -> None:
    job = in_status(status)
    add_chunks(job, ChunkStatus.DONE, ChunkStatus.QUARANTINED)
    answer = act(operator, job, "retry")
    job.refresh_from_db()
    assert (job.status, job.finished_at) == (JobStatus.QUEUED, None)
    assert list(Chunk.objects.values_list("status", flat=True)) == [ChunkStatus.DONE, ChunkStatus.PENDING]
    assert messages(answer) == ["“Talk” is queued again. What was read is kept."]
    assert OrmQ.objects.count() == 1


@pytest.mark.parametrize("status", [s for s in JobStatus if s not in RETRYABLE])
def test_another_job_is_not_queued_again(operator: Client, status: JobStatus) -> None:
    job = in_status(status)
    answer = act(operator, job, "retry")
    job.refresh_from_db()
    assert job.status == status
    assert messages(answer) == [f"There is nothing to retry: “Talk” is {status.label.lower()}."]
    assert not OrmQ.objects.exists()


def test_a_page_that_is_old_does_not_queue_a_running_job_again(operator: Client) -> None:
    job = in_status(JobStatus.FAILED)
    act(operator, job, "retry")
    job.refresh_from_db()
    assert job.move(JobStatus.RUNNING, attempt=job.attempt + 1)
    act(operator, job, "retry")
    job.refresh_from_db()
    assert (job.status, job.attempt) == (JobStatus.RUNNING, 2)


def test_the_question_deletes_nothing(operator: Client) -> None:
    job = submitted()
    assert job.move(JobStatus.CANCELLED)
    for method in (operator.get, operator.head):
        assert method(f"/jobs/{job.pk}/delete/").status_code == 200
    assert Job.objects.exists()
    assert len(stored_files()) == 1


def test_the_question_names_what_is_lost_and_offers_a_way_back(operator: Client) -> None:
    job = in_status(JobStatus.FAILED, title="Board meeting")
    answer = operator.get(f"/jobs/{job.pk}/delete/")
    assert element(answer, "h1").words == "Delete “Board meeting”?"
    assert f'href="/jobs/{job.pk}/"' in answer.content.decode()
    assert "disabled" not in element(answer, "button", class_="danger").attributes


@pytest.mark.parametrize("status", sorted(ENDED))
def test_an_ended_job_is_deleted_with_all_that_belongs_to_it(operator: Client, status: JobStatus) -> None:
    job = submitted(title="Board meeting")
    assert job.move(JobStatus.RUNNING)
    assert job.move(status)
    add_chunks(job, ChunkStatus.DONE)
    work_dir(job.pk).mkdir(parents=True)
    (work_dir(job.pk) / "audio.pcm").write_bytes(b"x")
    answer = act(operator, job, "delete")
    assert answer.redirect_chain == [("/jobs/", 302)]
    assert messages(answer) == ["“Board meeting”, its recording and its transcript are deleted."]
    assert not Job.objects.exists() and not Chunk.objects.exists() and not Segment.objects.exists()
    assert stored_files() == []
    assert not work_dir(job.pk).exists()


@pytest.mark.parametrize("status", [s for s in JobStatus if s not in ENDED])
def test_a_job_that_has_not_ended_is_not_deleted(operator: Client, status: JobStatus) -> None:
    job = in_status(status)
    answer = act(operator, job, "delete")
    assert messages(answer) == ["“Talk” has not ended yet. Cancel it first, then delete it."]
    assert Job.objects.filter(pk=job.pk, status=status).exists()
    question = operator.get(f"/jobs/{job.pk}/delete/")
    assert "cancel it first" in question.content.decode()
    assert "disabled" in element(question, "button", class_="danger").attributes


def test_a_recording_that_is_gone_already_does_not_matter(operator: Client) -> None:
    job = submitted()
    assert job.move(JobStatus.CANCELLED)
    Path(job.audio.path).unlink()
    act(operator, job, "delete")
    assert not Job.objects.exists()


def test_the_same_recording_of_another_job_stays(operator: Client) -> None:
    first, second = submitted(), submitted()
    assert first.move(JobStatus.CANCELLED)
    act(operator, first, "delete")
    assert Path(second.audio.path).is_file()


def test_twice_deleted_is_404(operator: Client) -> None:
    job = in_status(JobStatus.FAILED)
    act(operator, job, "delete")
    assert act(operator, job, "delete").status_code == 404
