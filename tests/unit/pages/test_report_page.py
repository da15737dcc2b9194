"""The morning report as a page and on the command line."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from gate.services import incident_open_or_join
from j5a_admin.report import forecast_text
from tests.support.markup import has_id, words
from tests.support.occurrences import occurrence
from tests.support.rows import in_status, queued
from transcribe.models import Attempt, JobEvent
from transcribe.selectors import NightReport, night_report
from transcribe.services import queue_pause
from transcribe.states import JobStatus

pytestmark = pytest.mark.django_db


def command() -> str:
    out = io.StringIO()
    call_command("report", stdout=out, skip_checks=True)
    return out.getvalue()


def test_an_empty_night(viewer: Client) -> None:
    page = viewer.get("/report/")
    assert page.status_code == 200
    assert words(page, "report-period").startswith("The time from ")
    assert "No job was done." in words(page, "report-done")
    assert "Nothing kept a job waiting." in words(page, "report-lost")
    assert "The queue is empty." in words(page, "report-next")
    assert "Done: 0 jobs" in command()


def test_a_night_with_everything(viewer: Client) -> None:
    for status in (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.INCOMPLETE, JobStatus.PAUSED):
        in_status(status, title=f"one {status}", duration_seconds=7200.0)
    waiting = queued(title="one waiting")
    now = timezone.now()
    JobEvent.objects.filter(job=waiting).update(at=now - timedelta(hours=2))
    JobEvent.objects.create(job=waiting, at=now - timedelta(hours=1), new="blocked", reason="Blocked by memory: short.")
    JobEvent.objects.create(job=waiting, at=now - timedelta(minutes=30), new="queued")
    queue_pause(who="anna", why="a concert", stops_running=False)
    page, text = viewer.get("/report/"), command()
    assert "one succeeded" in words(page, "report-done")
    assert "2 h 0 min" in words(page, "report-done")
    wrong = words(page, "report-wrong")
    assert wrong.startswith("Incomplete or failed: 2 ")
    assert "one failed" in wrong
    assert "The reason for failed" in wrong
    assert "one incomplete" in wrong
    assert "Memory 30 min" in words(page, "report-lost")
    queue = words(page, "report-next")
    assert "one waiting" in queue
    assert "The queue is paused by anna (a concert)." in queue
    assert "one paused" in queue
    for said in ("Done: 1 job, 2 h 0 min of audio", "Failed: 1 job", "Lost to memory: 30 min", "Held: 1 job"):
        assert said in text
    assert "1. #" in text
    assert "The queue is paused by anna (a concert)." in text


def test_incidents_of_the_night_are_told(administrator: Client, viewer: Client) -> None:
    now = timezone.now().timestamp()
    incident_open_or_join(occurrence(summary="The worker was lost.", at=now))
    incident_open_or_join(occurrence(subject="long ago", summary="Another.", at=now - 3 * 86_400))
    incident_open_or_join(occurrence(subject="elsewhere", summary="Not here.", at=now), host="other")
    shown = words(administrator.get("/report/"), "report-wrong")
    assert "The worker was lost." in shown
    assert "Another." not in shown
    assert "Not here." not in shown
    assert command().count("Incident: ") == 1
    assert "The worker was lost." not in words(viewer.get("/report/"), "report-wrong")  # may see jobs only


def test_the_time_an_engine_was_held_for_heat_is_told(viewer: Client) -> None:
    assert "Lost to temperature" not in command()
    job, now = in_status(JobStatus.SUCCEEDED), timezone.now()
    job.attempts.all().delete()
    facts = {"job": job, "host": "x"}
    hour = timedelta(hours=1)
    held = {"heat pause": 600.0, "heat rest": 60.0}
    Attempt.objects.create(**facts, number=1, started_at=now - hour, ended_at=now, held_seconds=held)
    Attempt.objects.create(**facts, number=2, started_at=now - 90 * hour, ended_at=now - 80 * hour, held_seconds=held)
    assert "Lost to temperature: 11 min, of which 11 min held while it worked" in command()
    assert "Temperature 11 min, of which 11 min held while it worked" in words(viewer.get("/report/"), "report-lost")


def test_the_dashboard_leads_there(viewer: Client) -> None:
    assert has_id(viewer.get("/"), "go-report")


def test_the_forecast_in_words() -> None:
    queued()
    report = night_report()
    now = datetime(2026, 11, 25, 7, tzinfo=UTC)
    assert "not known yet" in forecast_text(report, now)
    known = NightReport(**vars(report) | {"remaining_seconds": 36_000.0, "done_at": now + timedelta(hours=10)})
    assert "about 10 h 0 min of work to do: probably done today at 17:00" in forecast_text(known, now)
