"""Who may only look is offered nothing else."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.support.markup import elements, has_id
from tests.support.rows import in_status
from transcribe.services import queue_pause
from transcribe.states import JobStatus

pytestmark = pytest.mark.django_db

BUTTONS = ("cancel-job", "retry-job", "delete-job", "hold-job", "release-job", "run-now-job")
ENDING = {"cancel-job", "retry-job", "delete-job"}


@pytest.mark.parametrize("status", list(JobStatus))
def test_the_job_page_has_no_buttons(viewer: Client, status: JobStatus) -> None:
    job = in_status(status)
    for address in (f"/jobs/{job.pk}/", f"/jobs/{job.pk}/live/"):
        answer = viewer.get(address)
        assert answer.status_code == 200
        assert not any(has_id(answer, button) for button in BUTTONS)


def test_the_list_has_no_upload_form(viewer: Client) -> None:
    answer = viewer.get("/jobs/")
    assert answer.status_code == 200
    assert not has_id(answer, "upload")
    assert elements(answer, "input", type="file") == []


def test_the_dashboard_has_no_upload_button(viewer: Client) -> None:
    assert not has_id(viewer.get("/"), "go-upload")


@pytest.mark.parametrize(
    ("status", "button"),
    [
        (JobStatus.QUEUED, "cancel-job"),
        (JobStatus.BLOCKED, "cancel-job"),
        (JobStatus.PAUSED, "cancel-job"),
        (JobStatus.RUNNING, "cancel-job"),
        (JobStatus.FAILED, "retry-job"),
        (JobStatus.INCOMPLETE, "retry-job"),
        (JobStatus.CANCELLED, "retry-job"),
        (JobStatus.SUCCEEDED, "delete-job"),
    ],
)
def test_who_may_act_sees_the_button_that_fits(operator: Client, status: JobStatus, button: str) -> None:
    answer = operator.get(f"/jobs/{in_status(status).pk}/")
    shown = {name for name in ENDING if has_id(answer, name)}
    ended = {"delete-job"} if button != "cancel-job" else set()
    assert shown == {button} | ended


def test_the_queue_has_no_buttons(viewer: Client) -> None:
    job, held = in_status(JobStatus.QUEUED), in_status(JobStatus.PAUSED)
    queue_pause(who="anna", why="", stops_running=False)
    for address in ("/jobs/queue/", "/jobs/queue/live/", "/"):
        answer = viewer.get(address)
        assert answer.status_code == 200
        buttons = (
            f"up-{job.pk}",
            f"high-{job.pk}",
            f"hold-{job.pk}",
            f"release-{held.pk}",
            "pause-now",
            "resume-queue",
        )
        assert not any(has_id(answer, button) for button in buttons), address
    assert not has_id(viewer.get("/jobs/queue/"), "go-hours")
