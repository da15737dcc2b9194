"""What an incident's page shows of the time around it: the mark in its charts, and the other incidents."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from gate.core.incidents.kinds import IncidentKind
from gate.models import Incident, SensorSample, VerdictRecord
from gate.services import PURPOSE_START, incident_open_or_join
from tests.support.gate_people import gate_client
from tests.support.markup import elements, words
from tests.support.occurrences import occurrence

pytestmark = pytest.mark.django_db


@pytest.fixture
def incident() -> Incident:
    return incident_open_or_join(occurrence(at=timezone.now().timestamp()))


def moments(client: Client, incident: Incident) -> list[float]:
    answer = client.get(f"/incidents/{incident.pk}/")
    return [float(e["x1"]) for e in elements(answer, "line", class_="moment")]


def samples(incident: Incident, begin: int, end: int) -> None:
    for seconds in range(begin, end, 5):
        moment = incident.first_at + timedelta(seconds=seconds)
        SensorSample.objects.create(host=incident.host, taken_at=moment, celsius=50.0)


def test_the_chart_has_a_mark_at_the_first_and_at_the_last_time(incident: Incident) -> None:
    client = gate_client("anna", "view_incident")
    samples(incident, -300, 305)
    assert moments(client, incident) == [pytest.approx(150, abs=1)]
    incident_open_or_join(occurrence(at=incident.first_at.timestamp() + 150))
    assert moments(client, incident) == [pytest.approx(150, abs=1), pytest.approx(225, abs=1)]


def test_one_that_ended_the_samples_has_its_mark_at_their_end(incident: Incident) -> None:
    """As a freeze after which the machine stayed off: while it idled it was read every thirty seconds."""
    samples(incident, -300, -25)
    assert moments(gate_client("anna", "view_incident"), incident) == [300.0]


def test_a_time_without_samples_around_it_has_no_mark(incident: Incident) -> None:
    samples(incident, 60, 305)
    assert moments(gate_client("anna", "view_incident"), incident) == []


def test_other_incidents_of_its_host_and_time_are_linked(incident: Incident) -> None:
    at = incident.first_at.timestamp()
    near = incident_open_or_join(occurrence(at=at + 60, kind=IncidentKind.WORKER_LOST, subject="worker"))
    far = incident_open_or_join(occurrence(at=at - 3600, kind=IncidentKind.STALL, subject="machine"))
    other = incident_open_or_join(occurrence(at=at, kind=IncidentKind.STALL, subject="elsewhere"), host="another")
    client = gate_client("anna", "view_incident")
    answer = client.get(f"/incidents/{incident.pk}/")
    linked = {e.attributes.get("href") for e in elements(answer, "a")}
    assert f"/incidents/{near.pk}/" in linked
    assert not {f"/incidents/{one.pk}/" for one in (far, other, incident)} & linked
    assert "Worker lost: worker" in words(answer)
    text = client.get(f"/incidents/{incident.pk}/post-mortem.md").content.decode()
    assert f"- Incident {near.pk}, " in text.partition("## Other incidents around it")[2].partition("##")[0]


def test_one_that_was_alone_has_no_such_list(incident: Incident) -> None:
    Incident.objects.exclude(pk=incident.pk).delete()
    assert "Other incidents" not in words(gate_client("anna", "view_incident").get(f"/incidents/{incident.pk}/"))


def test_the_verdicts_nearest_to_it_are_shown(incident: Incident) -> None:
    for minutes in range(-14, 15):
        if minutes:
            _verdict(incident, minutes)
    shown = words(gate_client("anna", "view_incident").get(f"/incidents/{incident.pk}/"))
    assert [minutes for minutes in range(-14, 15) if f"asked at {minutes} minutes" in shown] == [
        *range(-10, 0),
        *range(1, 11),
    ]


def _verdict(incident: Incident, minutes: int) -> None:
    at = incident.first_at + timedelta(minutes=minutes)
    VerdictRecord.objects.create(
        host=incident.host,
        taken_at=at,
        last_at=at,
        model="demo",
        purpose=PURPOSE_START,
        admitted=True,
        reason=f"asked at {minutes} minutes",
        data={},
    )
