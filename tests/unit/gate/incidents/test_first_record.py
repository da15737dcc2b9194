"""The incident of 2025-10-15 as it ships, and its post-mortem."""

from __future__ import annotations

import importlib

import pytest
from django.apps import apps
from pytest_django import Settings

from gate.core.incidents.kinds import IncidentKind
from gate.core.incidents.lifecycle import IncidentStatus
from gate.core.incidents.postmortem import markdown
from gate.models import Incident
from j5a_admin.views.incidents import post_mortem

pytestmark = pytest.mark.django_db
record = importlib.import_module("gate.migrations._incident_of_2025_10_15").record


@pytest.fixture
def incident() -> Incident:
    record(apps)
    record(apps)  # a second time makes no second one
    return Incident.objects.get()


def test_it_is_resolved_and_told_by_the_facts_of_the_document(incident: Incident) -> None:
    assert (IncidentKind(incident.kind), IncidentStatus(incident.status)) == ("unclean_shutdown", "resolved")
    assert [f"{event.at:%H:%M:%S}" for event in incident.events.exclude(kind="note")] == [
        "10:37:54",
        "11:37:37",
        "11:52:03",
        "11:52:03",
    ]


def test_its_figures_are_those_that_follow(incident: Incident) -> None:
    """The document's "40–140 %" for two processes does not: 10 to 20 GB against 14 are −29 % to +43 %."""
    told = [(measure.name, measure.violation_text) for measure in incident.measure_list]
    assert told == [
        ("memory for 2 processes of 5 GiB", "no"),
        ("memory for 2 processes of 10 GiB", "43 %"),
        ("memory for 4 processes of 5 GiB", "43 %"),
        ("memory for 4 processes of 10 GiB", "186 %"),
    ]


def test_no_violation_of_a_temperature_is_claimed(incident: Incident) -> None:
    assert not any(measure.unit == "°C" for measure in incident.measure_list)
    notes = " ".join(event.text for event in incident.events.filter(kind="note"))
    assert "TCPG is no reading" in notes
    assert "40 to 140 %. That does not follow" in notes


def test_its_post_mortem_has_every_part(incident: Incident, settings: Settings) -> None:
    settings.TIME_ZONE = "UTC"
    text = markdown(post_mortem(incident))
    titles = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert titles == [
        "What happened",
        "Measured violations",
        "Readings around it",
        "What the gate said",
        "Other incidents around it",
        "Root causes",
        "Evidence",
        "Recovery",
        "What to do",
        "Notes",
    ]
    assert "- **2025-10-15 10:37:54 UTC** Opened: A script started 4 Whisper large-v3 processes at once." in text
    assert "weaponized_ep91_chunked_20251015_113737.log:8\n    Parallel processing: 2 concurrent chunks" in text
    assert "| memory for 2 processes of 10 GiB | 20.0 GiB | below 14.0 GiB | 43 % |" in text
    assert "resolved by the authors of the operating protocols" in text
