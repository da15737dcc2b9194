"""One open incident for each cause: what happens again joins it, in rows of bounded number."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from gate.core.incidents.kinds import IncidentKind
from gate.core.incidents.lifecycle import JOINS_KEPT, IncidentStatus
from gate.core.incidents.measures import Measure
from gate.core.incidents.occurrence import Evidence
from gate.models import Incident, IncidentEvent, IncidentEventKind, IncidentEvidence
from gate.services import incident_open_or_join, incident_resolve, incidents_settle
from gate.services.incidents import EVIDENCE_KEPT
from tests.support.occurrences import HOT, NOON, occurrence
from tests.support.panel import BASE_DIR, Panel

pytestmark = pytest.mark.django_db


def test_it_opens_with_what_was_told() -> None:
    incident = incident_open_or_join(occurrence())
    assert (incident.host, incident.kind, incident.subject) == (settings.HOST_ID, "thermal_end", "job 7")
    assert (incident.status, incident.count, incident.job_ref) == (IncidentStatus.OPEN, 1, "job 7")
    assert incident.first_at.timestamp() == incident.last_at.timestamp() == NOON
    assert incident.measure_list == (HOT,)
    assert [(e.kind, e.text) for e in incident.events.all()] == [("opened", incident.summary)]
    assert [(e.title, e.file_name) for e in incident.evidence.all()] == [("End of its log", "engine-7.log")]


def test_the_same_cause_joins_with_count_times_and_the_worst() -> None:
    hotter = Measure(name=HOT.name, value=95.0, limit=90.0, unit="°C")
    incident_open_or_join(occurrence())
    joined = incident_open_or_join(occurrence(at=NOON + 60, measures=(hotter,), summary="again"))
    assert Incident.objects.count() == 1
    assert (joined.count, joined.first_at.timestamp(), joined.last_at.timestamp()) == (2, NOON, NOON + 60)
    assert joined.measure_list == (hotter,)
    assert joined.summary == "again", "the job beside it is that of the last time, too"
    assert [(e.kind, e.text) for e in joined.events.all()] == [("opened", occurrence().summary), ("joined", "again")]


def test_one_that_comes_late_moves_the_first_time() -> None:
    incident_open_or_join(occurrence())
    joined = incident_open_or_join(occurrence(at=NOON - 60, summary="before"))
    assert joined.summary == occurrence().summary
    assert (joined.first_at.timestamp(), joined.last_at.timestamp()) == (NOON - 60, NOON)


@pytest.mark.parametrize("other", [{"subject": "job 8"}, {"kind": IncidentKind.OOM_KILL}])
def test_another_cause_opens_its_own(other: dict[str, object]) -> None:
    incident_open_or_join(occurrence())
    incident_open_or_join(occurrence(**other))
    assert Incident.objects.count() == 2


def test_another_host_opens_its_own() -> None:
    incident_open_or_join(occurrence())
    incident_open_or_join(occurrence(), host="other")
    assert Incident.objects.count() == 2


def test_after_a_person_resolved_it_a_new_one_opens() -> None:
    assert incident_resolve(incident_open_or_join(occurrence()), "anna", "cleaned the fan")
    again = incident_open_or_join(occurrence(at=NOON + 1))
    assert Incident.objects.count() == 2
    assert again.status == IncidentStatus.OPEN


def test_what_the_system_resolved_opens_again_when_it_comes_back_within_the_hour() -> None:
    first = incident_open_or_join(occurrence())
    assert incidents_settle(IncidentKind.THERMAL_END, "cool", subject="job 7") == 1
    now = timezone.now().timestamp()
    again = incident_open_or_join(occurrence(at=now + 60))
    assert (again.pk, again.status, again.count, again.resolved_at) == (first.pk, IncidentStatus.OPEN, 2, None)


def test_what_the_system_resolved_long_ago_stays_so() -> None:
    incident_open_or_join(occurrence())
    incidents_settle(IncidentKind.THERMAL_END, "cool")
    later = timezone.now() + timedelta(hours=1, seconds=1)
    incident_open_or_join(occurrence(at=later.timestamp()))
    assert sorted(Incident.objects.values_list("status", flat=True)) == ["open", "resolved"]


def test_it_settles_only_its_own_kind_subject_and_host() -> None:
    for values, host in (({}, ""), ({"subject": "job 8"}, ""), ({"kind": IncidentKind.OOM_KILL}, ""), ({}, "other")):
        incident_open_or_join(occurrence(**values), host=host)
    assert incidents_settle(IncidentKind.THERMAL_END, "cool", subject="job 7") == 1
    resolved = Incident.objects.get(status=IncidentStatus.RESOLVED)
    assert (resolved.host, resolved.subject, resolved.recovery) == (settings.HOST_ID, "job 7", "cool")
    assert (resolved.resolved_by, resolved.resolved_at is None) == ("", False)


def test_an_acknowledged_one_settles_too() -> None:
    incident_open_or_join(occurrence())
    Incident.objects.update(status=IncidentStatus.ACKNOWLEDGED)
    assert incidents_settle(IncidentKind.THERMAL_END, "cool") == 1


def test_what_is_over_already_opens_resolved_and_joins_the_last() -> None:
    for second in range(3):
        incident_open_or_join(occurrence(settled=True, at=NOON + second))
    incident = Incident.objects.get()
    assert (incident.status, incident.count) == (IncidentStatus.RESOLVED, 3)


def test_ten_thousand_occurrences_are_one_incident_with_few_rows() -> None:
    """250 at either end of the ten thousand: once the lines are full, no further occurrence adds a row."""
    for first in (0, 9_750):
        Incident.objects.filter(count=250).update(count=first)
        for number in range(first, first + 250):
            pieces = (Evidence(title=f"piece {number}", text="x"),) if number % 10 == 9 else ()
            incident_open_or_join(occurrence(at=NOON + number, evidence=pieces, causes=(f"cause {number}",)))
        assert IncidentEvent.objects.count() == 1 + JOINS_KEPT
        assert IncidentEvidence.objects.count() == EVIDENCE_KEPT
    incident = Incident.objects.get()
    assert (incident.count, incident.last_at.timestamp()) == (10_000, NOON + 9_999)
    assert IncidentEvidence.objects.last().title == "piece 9999"  # type: ignore[union-attr]
    last = incident.events.last()
    assert last is not None and last.last_at is not None
    assert (1 + JOINS_KEPT + last.repeats, last.last_at.timestamp()) == (500, NOON + 9_999)
    assert len(incident.causes) <= 20


def test_a_cause_that_comes_and_goes_fills_nothing() -> None:
    now = timezone.now().timestamp()
    for number in range(60):
        incident_open_or_join(occurrence(at=now + number, evidence=()))
        incidents_settle(IncidentKind.THERMAL_END, "cool")
    assert Incident.objects.get().count == 60
    assert IncidentEvent.objects.count() <= 1 + 2 * JOINS_KEPT


def test_a_long_subject_joins_as_well() -> None:
    for _ in range(2):
        incident_open_or_join(occurrence(subject="x" * 300, job_ref="y" * 300))
    assert Incident.objects.get().count == 2


@pytest.mark.django_db(transaction=True)
def test_processes_that_tell_at_once_make_one(make_database: Callable[[], Panel]) -> None:
    """Real processes on a real database file."""
    panel = make_database()
    code = (
        "import django; django.setup()\n"
        "from gate.services import incident_open_or_join\n"
        "from tests.support.occurrences import occurrence\n"
        "print('ready', flush=True); input()\n"
        "for number in range(25): incident_open_or_join(occurrence(at=1760000000 + number))\n"
    )
    env = {**panel.env, "DJANGO_SETTINGS_MODULE": "j5a_admin.settings"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], cwd=BASE_DIR, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(4)
    ]
    try:
        for process in processes:
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        for process in processes:
            process.communicate(b"\n", timeout=180)
            assert process.returncode == 0
    finally:
        for process in processes:
            process.kill()
            process.wait()
    rows = panel.rows("SELECT count FROM gate_incident WHERE subject = 'job 7'")
    assert [row["count"] for row in rows] == [100]


def test_kinds_of_events_fit_their_column() -> None:
    assert max(len(kind) for kind in IncidentEventKind) <= 14
