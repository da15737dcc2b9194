"""All pages that a person can open, with rows of every kind behind them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from axes.models import AccessAttempt, AccessFailureLog
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from gate.core.incidents.measures import Measure
from gate.core.incidents.occurrence import Evidence
from gate.models import Incident, LockEvent, LockEventKind, PolicyChange, SensorSample, SensorUse
from gate.services import (
    PURPOSE_START,
    gate_evaluate,
    history_summarise,
    incident_open_or_join,
    lock_acquire,
    lock_release,
    note_add,
    sensor_choose,
)
from tests.support.occurrences import occurrence
from tests.support.rows import EVIL, add_text, in_status, submitted
from transcribe.models import Attempt, Chunk, Job
from transcribe.resolve import DEMO_PATH, model_requirement
from transcribe.schedule import Opening
from transcribe.services import hours_set, model_register, queue_pause
from transcribe.states import ChunkStatus, JobStatus

GATE_TABLES = (
    *("sensorsample", "samplesummary", "verdictrecord", "lockevent", "gatestate", "policychange"),
    *("incident", "incidentevent", "incidentevidence"),
)


def fill(checkpoint: Path) -> None:
    """One row at least in every table that has a page, with hostile names where a person gives them."""
    submitted(title=EVIL)
    for status in JobStatus:
        job = in_status(status, title=f"{EVIL} {status}", original_name=EVIL, note=EVIL)
        add_text(job, EVIL)
        Attempt.objects.filter(job=job).update(output_tail=EVIL, reason=EVIL, engine_pid=4711, peak_bytes=1)
    lock_release(lock_acquire(model="demo", job_ref=EVIL))
    gate_evaluate(model_requirement("demo"), purpose=PURPOSE_START, job_ref=EVIL)
    for seconds in range(3):
        SensorSample.objects.create(
            host=settings.HOST_ID,
            taken_at=timezone.now() - timedelta(seconds=seconds),
            available_bytes=seconds,
            celsius=40.0 + seconds,
            sensor=EVIL,
        )
    history_summarise()
    now = {"host": settings.HOST_ID, "at": timezone.now(), "who": EVIL}
    evidence = {"state": "stale", "sentence": EVIL, "proof": [EVIL]}
    LockEvent.objects.create(**now, kind=LockEventKind.CLEARED, why=EVIL, evidence=evidence)
    PolicyChange.objects.create(**now, name="ignored_sensors", before=EVIL, after=EVIL)
    sensor_choose(EVIL, SensorUse.IGNORED, who=EVIL)
    told = occurrence(
        subject=EVIL,
        summary=EVIL,
        job_ref=EVIL,
        causes=(EVIL,),
        recovery=EVIL,
        at=timezone.now().timestamp(),
        measures=(Measure(name=EVIL, value=2, limit=1, unit=EVIL, source=EVIL),),
        evidence=(Evidence(title=EVIL, text=EVIL, file_name=EVIL),),
    )
    note_add(incident_open_or_join(told, opened_by=EVIL), EVIL, EVIL)
    hours_set([Opening(0, 1320, 360)], "Europe/Berlin", who=EVIL)
    queue_pause(who=EVIL, why=EVIL, stops_running=True)
    for job in Job.objects.filter(status=JobStatus.INCOMPLETE):
        Chunk.objects.filter(job=job).update(status=ChunkStatus.QUARANTINED, error=EVIL)
    model_register("mine", str(shutil.copy(DEMO_PATH, checkpoint)), User.objects.first())
    Group.objects.create(name=EVIL)
    AccessAttempt.objects.create(username=EVIL, ip_address="192.0.2.1", failures_since_start=1, path_info=EVIL)
    AccessFailureLog.objects.create(username=EVIL, ip_address="192.0.2.1", path_info=EVIL)


def panel_addresses() -> Iterator[str]:
    yield from ("/gate/", f"/gate/?{urlencode({'model': EVIL})}", "/gate/live/", "/lock/", "/lock/live/")
    yield from ("/lock/clear/", "/lock/stop/", "/sensors/", "/sensors/live/")
    yield from (
        f"/sensors/{page}?range={name}" for page in ("", "history/") for name in ("hour", "day", "month", "year")
    )
    yield from (f"/sensors/use/?{urlencode({'sensor': EVIL, 'use': use})}" for use in ("ignored", "none"))
    yield from ("/incidents/", "/incidents/?status=open&kind=reported", "/incidents/new/")
    for incident in Incident.objects.all():
        yield f"/incidents/{incident.pk}/"
    yield from ("/", "/live/", "/doctor/", "/jobs/", "/jobs/live/", "/jobs/?status=failed")
    yield from ("/hours/", "/report/", "/jobs/queue/", "/jobs/queue/live/")
    for job in Job.objects.all():
        yield from (f"/jobs/{job.pk}/", f"/jobs/{job.pk}/live/", f"/jobs/{job.pk}/log/", f"/jobs/{job.pk}/delete/")


def admin_addresses() -> Iterator[str]:
    yield from ("/admin/", "/admin/password_change/", "/admin/password_change/done/")
    yield from ("/admin/gate/", "/admin/transcribe/", "/admin/auth/")
    for table in GATE_TABLES:
        yield f"/admin/gate/{table}/"
    for table in ("registeredmodel", "job", "attempt"):
        yield f"/admin/transcribe/{table}/"
    yield from ("/admin/axes/", "/admin/axes/accessattempt/", "/admin/axes/accessfailurelog/")
    yield from ("/admin/auth/user/", "/admin/auth/group/", "/admin/auth/user/add/", "/admin/auth/group/add/")
    yield "/admin/transcribe/registeredmodel/add/"
    for app, table, key in _rows():
        yield f"/admin/{app}/{table}/{key}/change/"
        yield f"/admin/{app}/{table}/{key}/history/"
    for app, table in (("transcribe", "registeredmodel"), ("auth", "user"), ("auth", "group")):
        key = next(key for where, name, key in _rows() if (where, name) == (app, table))
        yield f"/admin/{app}/{table}/{key}/delete/"
    yield f"/admin/auth/user/{User.objects.first().pk}/password/"  # type: ignore[union-attr]


def answers(administrator: Client, anonymous: Client) -> Iterator[tuple[str, Any]]:
    """Each page once: those of a person with every permission, the login, and those that tell of an error."""
    for address in [*panel_addresses(), *admin_addresses()]:
        answer = administrator.get(address)
        assert answer.status_code == 200, address
        yield address, answer
    yield "login", anonymous.get("/admin/login/")
    yield "wrong login", anonymous.post("/admin/login/", {"username": EVIL, "password": "x", "next": EVIL})
    yield "wrong upload", administrator.post("/jobs/upload/", {"model": EVIL, "title": EVIL})
    yield "wrong hours", administrator.post("/hours/", {"when": "hours", "zone": EVIL, "day_0": EVIL})
    yield "wrong model", administrator.post("/admin/transcribe/registeredmodel/add/", {"name": EVIL, "path": EVIL})
    yield "404", administrator.get("/jobs/999999/")
    yield "400", administrator.get("/", headers={"host": "evil.example"})
    strict = Client(enforce_csrf_checks=True)
    yield "403_csrf", strict.post("/admin/login/", {})


def _rows() -> list[tuple[str, str, Any]]:
    from django.apps import apps

    found = []
    apps_of = {"user": "auth", "group": "auth", "accessattempt": "axes", "accessfailurelog": "axes"}
    for name in (*GATE_TABLES, "registeredmodel", "job", "attempt", *apps_of):
        app = apps_of.get(name)
        app = app or ("transcribe" if name in {"registeredmodel", "job", "attempt"} else "gate")
        for row in apps.get_model(app, name).objects.all():
            found.append((app, name, row.pk))
    return found
