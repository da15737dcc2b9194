"""What people do with an incident: by conditional update, each with a line in the timeline."""

from __future__ import annotations

import pytest

from gate.core.incidents.lifecycle import IncidentStatus
from gate.models import Incident
from gate.services import (
    incident_acknowledge,
    incident_open_or_join,
    incident_recovered,
    incident_reopen,
    incident_resolve,
    note_add,
)
from tests.support.occurrences import NOON, occurrence

pytestmark = pytest.mark.django_db


@pytest.fixture
def incident() -> Incident:
    return incident_open_or_join(occurrence())


def lines(incident: Incident) -> list[tuple[str, str, str]]:
    return [(event.kind, event.who, event.text) for event in incident.events.all()][1:]


def test_it_goes_from_open_over_acknowledged_to_resolved_and_back(incident: Incident) -> None:
    assert incident_acknowledge(incident, "anna")
    assert incident_resolve(incident, "bert", "cleaned the fan")
    assert incident_reopen(incident, "anna", "hot again")
    incident.refresh_from_db()
    assert (incident.status, incident.resolved_at, incident.recovery) == (IncidentStatus.OPEN, None, "cleaned the fan")
    assert lines(incident) == [
        ("acknowledged", "anna", ""),
        ("resolved", "bert", "cleaned the fan"),
        ("reopened", "anna", "hot again"),
    ]


def test_what_a_person_did_stands_in_the_recovery_whatever_was_recovered_before(incident: Incident) -> None:
    for number in range(30):
        incident_recovered(incident, f"Job {number} was queued again.")
    done = "\n".join(f"step {number}" for number in range(40))
    assert incident_resolve(incident, "bert", done)
    incident.refresh_from_db()
    assert incident.recovery.endswith(f"\n{done}")
    assert incident.recovery.startswith("Job 0 was queued again.\n")
    assert incident_reopen(incident, "anna", "hot again")
    incident_recovered(incident, "Job 99 was queued again.")
    incident.refresh_from_db()
    assert incident.recovery.endswith(f"\n{done}")


def test_what_was_recovered_since_the_page_was_opened_stays(incident: Incident) -> None:
    seen_by_bert = Incident.objects.get(pk=incident.pk)
    incident_recovered(incident, "Job 7 was queued again.")
    assert incident_resolve(seen_by_bert, "bert", "cleaned the fan")
    incident.refresh_from_db()
    assert incident.recovery == "Job 7 was queued again.\ncleaned the fan"


def test_only_one_of_two_people_resolves_it(incident: Incident) -> None:
    seen_by_bert = Incident.objects.get(pk=incident.pk)
    assert incident_resolve(incident, "anna", "cleaned the fan")
    assert not incident_resolve(seen_by_bert, "bert", "something else")
    assert lines(incident) == [("resolved", "anna", "cleaned the fan")]


def test_a_resolved_one_is_not_acknowledged(incident: Incident) -> None:
    incident_resolve(incident, "anna", "")
    assert not incident_acknowledge(incident, "bert")


def test_it_is_not_opened_again_while_another_of_its_cause_is_open(incident: Incident) -> None:
    incident_resolve(incident, "anna", "cleaned the fan")
    incident_open_or_join(occurrence(at=NOON + 5))
    assert not incident_reopen(incident, "anna", "hot again")
    incident.refresh_from_db()
    assert incident.status == IncidentStatus.RESOLVED
    assert lines(incident) == [("resolved", "anna", "cleaned the fan")]


def test_a_note_changes_no_status(incident: Incident) -> None:
    incident_resolve(incident, "anna", "")
    note_add(incident, "bert", "The fan was new.")
    incident.refresh_from_db()
    assert incident.status == IncidentStatus.RESOLVED
    assert lines(incident)[-1] == ("note", "bert", "The fan was new.")


def test_what_was_recovered_is_added_once(incident: Incident) -> None:
    for _ in range(2):
        incident_recovered(incident, "Job 7 was queued again.")
    incident.refresh_from_db()
    assert incident.recovery == "Job 7 was queued again."
