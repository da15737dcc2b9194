"""Telling of an incident from anywhere: never an error for the caller, whatever the database does."""

from __future__ import annotations

import json
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from django.db import DatabaseError, transaction
from pytest_django import Settings

from gate.core.incidents.kinds import IncidentKind
from gate.core.incidents.lifecycle import IncidentStatus
from gate.core.incidents.occurrence import Occurrence
from gate.models import Incident, LockEvent
from gate.services import incident_report, incident_settled, reports_bring_in
from gate.services import reporting as module
from tests.support.occurrences import HOT
from tests.support.panel import BASE_DIR, Panel

pytestmark = pytest.mark.django_db


def report(subject: str = "worker") -> None:
    incident_report(IncidentKind.WORKER_LOST, subject, "The worker is gone.", measures=[HOT], job_ref="job 7")


def waiting(settings: Settings) -> Path:
    return Path(settings.DATA_DIR) / "blackbox" / "incidents-waiting.jsonl"


def refuse(*_: object, **__: object) -> None:
    raise DatabaseError("database is locked")


def test_it_opens_and_settles() -> None:
    report()
    incident = Incident.objects.get()
    assert (incident.kind, incident.subject, incident.measure_list) == ("worker_lost", "worker", (HOT,))
    incident_settled(IncidentKind.WORKER_LOST, "It is back.", subject="worker")
    incident.refresh_from_db()
    assert incident.status == IncidentStatus.RESOLVED


def test_in_a_transaction_of_the_caller_it_is_part_of_it() -> None:
    with transaction.atomic():
        report()
        transaction.set_rollback(True)
    assert not Incident.objects.exists()


def test_a_failure_leaves_the_transaction_of_the_caller_whole(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    real = Incident.objects.create

    def create_and_fail(**values: object) -> None:
        real(**values)
        raise DatabaseError("disk I/O error")

    with transaction.atomic():
        LockEvent.objects.create(host="mini", kind="acquired", at="2026-01-01T00:00:00Z")
        monkeypatch.setattr(Incident.objects, "create", create_and_fail)
        report()
        LockEvent.objects.create(host="mini", kind="released", at="2026-01-01T00:00:00Z")
    assert LockEvent.objects.count() == 2
    assert not Incident.objects.exists()
    assert waiting(settings).exists()


def test_what_the_database_does_not_take_waits_for_its_owner_alone(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(module, "incident_open_or_join", refuse)
        report("a")
        report("b")
    assert stat.S_IMODE(waiting(settings).stat().st_mode) == 0o600
    assert stat.S_IMODE(waiting(settings).parent.stat().st_mode) == 0o700
    assert reports_bring_in() == 2
    assert set(Incident.objects.values_list("subject", flat=True)) == {"a", "b"}
    assert not waiting(settings).exists()
    assert reports_bring_in() == 0


def test_what_still_cannot_be_written_goes_on_waiting(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(module, "incident_open_or_join", refuse)
        report("a")
        report("b")
        with pytest.raises(DatabaseError):
            reports_bring_in()
        assert len(waiting(settings).read_text().splitlines()) == 2
    assert reports_bring_in() == 2


@pytest.mark.django_db(transaction=True)
def test_what_waits_is_in_the_file_until_the_database_has_it(make_database: Callable[[], Panel]) -> None:
    """A real kill while a report is being brought in, and another program locks the database."""
    panel = make_database()
    env = {**panel.env, "DJANGO_SETTINGS_MODULE": "j5a_admin.settings"}
    file = panel.data_dir / "blackbox" / "incidents-waiting.jsonl"

    def child(code: str) -> subprocess.Popen[str]:
        begin = (
            "import django; django.setup()\nfrom gate.core.incidents.kinds import IncidentKind\n"
            "from gate.services import incident_report, reports_bring_in\n"
        )
        return subprocess.Popen([sys.executable, "-c", begin + code], cwd=BASE_DIR, env=env, stdout=-1, text=True)

    with closing(sqlite3.connect(panel.data_dir / "j5a.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        tells = child("incident_report(IncidentKind.THERMAL_END, 'job 7', 'Too hot.')")
        assert tells.communicate(timeout=240) and file.stat().st_size > 100
        brings = child("print('begins', flush=True)\nreports_bring_in()\nprint('done')")
        try:
            assert brings.stdout is not None and brings.stdout.readline() == "begins\n"
            with pytest.raises(subprocess.TimeoutExpired):
                brings.wait(5)  # for the database
        finally:
            brings.kill()
            brings.communicate()
        other.execute("ROLLBACK")
    again = child("print(reports_bring_in())")
    assert again.communicate(timeout=240)[0] == "1\n"
    assert len(panel.rows("SELECT 1 FROM gate_incident WHERE subject = 'job 7'")) == 1
    assert not file.exists()


def test_what_is_told_while_others_are_brought_in_waits_for_the_next_time(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    real, told = module.incident_open_or_join, iter(["late"])

    def joined(occurrence: Occurrence) -> Incident:
        for subject in told:
            with monkeypatch.context() as broken:
                broken.setattr(module, "incident_open_or_join", refuse)
                report(subject)
        return real(occurrence)

    with monkeypatch.context() as broken:
        broken.setattr(module, "incident_open_or_join", refuse)
        for number in range(120):  # more than one transaction takes
            report(str(number))
    monkeypatch.setattr(module, "incident_open_or_join", joined)
    assert reports_bring_in() == 121
    assert not waiting(settings).exists()
    assert Incident.objects.filter(count=1).count() == 121


def test_one_that_can_never_be_written_keeps_no_other_waiting(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(module, "incident_open_or_join", refuse)
        incident_report(IncidentKind.STALL, "never", "In no calendar.", at=1e300)
        report("b")
    assert reports_bring_in() == 1
    assert set(Incident.objects.values_list("subject", flat=True)) == {"b"}
    assert not waiting(settings).exists()


def test_what_comes_after_a_torn_line_is_whole(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(module, "incident_open_or_join", refuse)
        report("a")
        waiting(settings).write_bytes(waiting(settings).read_bytes()[:-20])  # as a full disk leaves it
        report("b")
    assert reports_bring_in() == 1
    assert set(Incident.objects.values_list("subject", flat=True)) == {"b"}


def test_a_torn_line_costs_only_itself(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(module, "incident_open_or_join", refuse)
        report("a")
    whole = waiting(settings).read_bytes()
    for cut in range(len(whole)):
        waiting(settings).write_bytes(whole[:cut] + b"\n[1]\n" + json.dumps({"kind": "x"}).encode() + b"\n" + whole)
        # cut just before the line's end, the torn line is whole
        assert reports_bring_in() == (2 if cut >= len(whole) - 1 else 1), cut
    assert Incident.objects.get().subject == "a"


def pause(monkeypatch: pytest.MonkeyPatch, *, report_waits: bool, end_waits: bool) -> Incident:
    """A pause and its end, each told to a database that takes it or not; then the sampler brings in what waits."""
    with monkeypatch.context() as broken:
        if report_waits:
            broken.setattr(module, "incident_open_or_join", refuse)
        incident_report(IncidentKind.THERMAL_PAUSE, "engine", "The engine was paused.")
    with monkeypatch.context() as broken:
        if end_waits:
            broken.setattr(module, "incidents_settle", refuse)
        incident_settled(IncidentKind.THERMAL_PAUSE, "Cool again.", subject="engine")
    reports_bring_in()
    return Incident.objects.get()


@pytest.mark.parametrize("end_waits", [True, False])
@pytest.mark.parametrize("report_waits", [True, False])
def test_what_is_over_does_not_stay_open_for_a_locked_database(
    monkeypatch: pytest.MonkeyPatch, report_waits: bool, end_waits: bool
) -> None:
    incident = pause(monkeypatch, report_waits=report_waits, end_waits=end_waits)
    assert (incident.status, incident.recovery) == (IncidentStatus.RESOLVED, "Cool again.")


def test_an_end_that_still_cannot_be_written_goes_on_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    incident_report(IncidentKind.THERMAL_PAUSE, "engine", "The engine was paused.")
    with monkeypatch.context() as broken:
        broken.setattr(module, "incidents_settle", refuse)
        incident_settled(IncidentKind.THERMAL_PAUSE, "Cool again.", subject="engine")
        with pytest.raises(DatabaseError):
            reports_bring_in()
    assert Incident.objects.get().status == IncidentStatus.OPEN
    assert reports_bring_in() == 1
    assert Incident.objects.get().status == IncidentStatus.RESOLVED


def test_the_file_has_a_limit(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "incident_open_or_join", refuse)
    monkeypatch.setattr(module, "WAITING_LIMIT_BYTES", 2000)
    for number in range(50):
        report(str(number))
    assert 0 < waiting(settings).stat().st_size <= 2000


def test_no_error_reaches_the_caller(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(module, "incident_open_or_join", break_down)
    monkeypatch.setattr(module, "incidents_settle", break_down)
    report()
    incident_settled(IncidentKind.STALL, "over")
    monkeypatch.setattr(module, "incident_open_or_join", refuse)
    settings.DATA_DIR = tmp_path / "a-file"
    settings.DATA_DIR.write_text("")  # not even the file can be written
    report()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_locked_by_another_process_costs_a_second_or_two(
    make_database: Callable[[], Panel],
) -> None:
    panel = make_database()
    code = (
        "import django; django.setup()\n"
        "from django.db import connection\n"
        "from gate.core.incidents.kinds import IncidentKind\n"
        "from gate.services import incident_report\n"
        "incident_report(IncidentKind.THERMAL_END, 'job 7', 'Too hot.')\n"
        "with connection.cursor() as cursor: print(cursor.execute('PRAGMA busy_timeout').fetchone()[0])\n"
    )
    command = [sys.executable, "-c", code]
    env = {**panel.env, "DJANGO_SETTINGS_MODULE": "j5a_admin.settings"}
    with closing(sqlite3.connect(panel.data_dir / "j5a.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        # Were it to wait the usual 30 s, the lock would still be there: what is asked is that it came back at all.
        done = subprocess.run(command, cwd=BASE_DIR, env=env, capture_output=True, text=True, timeout=120)
        other.execute("ROLLBACK")
    assert done.returncode == 0, done.stderr
    assert "waits in a file" in done.stderr
    assert done.stdout == "30000\n", "the usual patience is back"
    assert (panel.data_dir / "blackbox" / "incidents-waiting.jsonl").stat().st_size > 100
