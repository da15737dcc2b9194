"""A watch tells of what it did beside its work: in order, and without ever waiting for the database."""

from __future__ import annotations

import threading

import pytest
from pytest_django import Settings

from gate import telling
from gate.core.incidents.kinds import IncidentKind
from gate.core.watch import Act, Cause, Watched, WatchState
from gate.models import Incident
from gate.telling import Teller
from tests.support.occurrences import HOT, NOON

HOT_LOOK = Watched(
    act=Act.PAUSE, reason="82.0 °C", state=WatchState(), cause=Cause.HEAT, measures=(HOT,), taken_at=NOON
)
SHORT_LOOK = Watched(act=Act.END, reason="1.0 GiB", state=WatchState(), cause=Cause.MEMORY)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was told, in order, each after the database let it through."""
    told: list[str] = []

    def report(kind: IncidentKind, subject: str, summary: str, **facts: object) -> None:
        assert _gate.wait(60)
        told.append(f"{kind} {subject}: {summary} {facts['job_ref']}")

    def settled(kind: IncidentKind, why: str, *, subject: str) -> None:
        assert _gate.wait(60)
        told.append(f"{kind} {subject} over: {why}")

    _gate = threading.Event()
    monkeypatch.setattr(telling, "incident_report", report)
    monkeypatch.setattr(telling, "incident_settled", settled)
    monkeypatch.setattr(telling.connections, "close_all", _gate.set)
    told_and_gate[:] = [_gate]
    return told


told_and_gate: list[threading.Event] = []


def test_it_tells_in_order_and_holds_nobody_up(calls: list[str]) -> None:
    teller = Teller("engine")
    teller.paused("The engine of job 7", HOT_LOOK, "job 7")
    teller.goes_on("It goes on.")
    teller.ended("The engine of job 7", SHORT_LOOK, "job 7")
    assert calls == []  # the database does not answer, and we are here
    told_and_gate[0].set()
    teller.finish()
    assert calls == [
        "thermal_pause engine: The engine of job 7 was paused: 82.0 °C. job 7",
        "thermal_pause engine over: It goes on.",
        "memory_end engine: The engine of job 7 was ended: 1.0 GiB. job 7",
    ]


def test_where_nothing_was_paused_nothing_is_over(calls: list[str]) -> None:
    told_and_gate[0].set()
    teller = Teller("engine")
    teller.goes_on("It has ended.")
    teller.finish()
    assert calls == []


@pytest.mark.django_db(transaction=True)
def test_what_it_tells_is_in_the_database(settings: Settings) -> None:
    teller = Teller("gate run")
    teller.paused("sleep", HOT_LOOK, "gate run")
    teller.finish()
    incident = Incident.objects.get(subject="gate run")
    assert (incident.kind, incident.status, incident.measure_list) == ("thermal_pause", "open", (HOT,))
    assert incident.first_at.timestamp() == NOON
    teller.goes_on("Cool again.")
    teller.finish()
    incident.refresh_from_db()
    assert (incident.status, incident.recovery) == ("resolved", "Cool again.")
