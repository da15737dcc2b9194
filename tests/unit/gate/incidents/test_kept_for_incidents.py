"""Samples around an incident and the logs it points to are not removed by retention."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from gate.core.incidents.occurrence import Evidence
from gate.models import Incident, SensorSample
from gate.sampler import Sampler
from gate.services import (
    TimeSpan,
    history_prune,
    history_summarise,
    incident_open_or_join,
    protected_paths,
    protected_spans,
    protection,
    records_prune,
)
from tests.support.fake_machine import FakeMachine
from tests.support.occurrences import NOON, occurrence

pytestmark = pytest.mark.django_db
QUARTER = 15 * 60.0


def around(at: float) -> TimeSpan:
    return TimeSpan(datetime.fromtimestamp(at - QUARTER, UTC), datetime.fromtimestamp(at + QUARTER, UTC))


def sample(at: float, host: str = "mini") -> None:
    SensorSample.objects.create(host=host, taken_at=datetime.fromtimestamp(at, UTC))


DAY = 86_400


def test_each_occurrence_that_is_told_has_its_time(settings: Settings) -> None:
    settings.HOST_ID = "mini"
    for day in range(4):
        incident_open_or_join(occurrence(at=NOON + day * DAY))
    Incident.objects.all()[0].events.create(kind="note", at=datetime.fromtimestamp(NOON + 9 * DAY, UTC))
    assert Incident.objects.get().count == 4
    assert protected_spans() == tuple(around(NOON + day * DAY) for day in range(4))


def test_an_incident_of_a_former_name_of_the_machine_keeps_its_time(settings: Settings) -> None:
    settings.HOST_ID = "mini"
    incident_open_or_join(occurrence(), host="its name before")
    assert protected_spans() == (around(NOON),)


def test_the_paths_are_logs_of_the_log_directory_only(settings: Settings, tmp_path: Path) -> None:
    settings.HOST_ID, settings.LOG_DIR = "mini", tmp_path
    pieces = (Evidence(title="a", text="", file_name="../../etc/passwd"), Evidence(title="b", text=""))
    incident_open_or_join(occurrence(evidence=pieces))
    incident_open_or_join(occurrence(subject="other"))
    assert protected_paths() == {tmp_path / "passwd", tmp_path / "engine-7.log"}


def test_logs_are_kept_when_the_machine_gets_another_name(settings: Settings, tmp_path: Path) -> None:
    settings.LOG_DIR = tmp_path
    incident_open_or_join(occurrence(), host="its name before")
    assert protected_paths() == {tmp_path / "engine-7.log"}


def test_the_sampler_drops_old_samples_but_not_those_around_an_incident(machine: FakeMachine) -> None:
    now = NOON + 5 * 86_400
    incident_open_or_join(occurrence())
    near = [NOON - QUARTER, NOON, NOON + QUARTER]
    recent = now - timedelta(hours=47).total_seconds()
    for at in [NOON - 86_400, NOON - QUARTER - 1, *near, NOON + QUARTER + 1, NOON + 86_400, recent]:
        sample(at)
    sample(NOON, host="other")
    Sampler().tick(now)
    kept = [row.taken_at.timestamp() for row in SensorSample.objects.filter(host="mini").order_by("taken_at")]
    assert kept == [*near, recent, now]
    assert SensorSample.objects.filter(host="other").count() == 1
    assert machine.celsius == 45.0


def test_more_incidents_than_a_condition_may_name_are_no_hindrance(settings: Settings) -> None:
    settings.HOST_ID = "mini"
    first = datetime.fromtimestamp(NOON, UTC)
    for number in range(1200):
        at = first + timedelta(hours=number)
        Incident.objects.create(host="mini", kind="stall", subject=str(number), first_at=at, last_at=at)
        sample(at.timestamp())
        sample(at.timestamp() + 2 * QUARTER)
    history_summarise()
    now = first + timedelta(days=800)
    assert history_prune(now) >= 1200
    assert SensorSample.objects.filter(host="mini").count() == 1200
    records_prune(now)


def test_a_source_that_fails_costs_the_pruning_and_not_the_sampler(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> list[TimeSpan]:
        raise ValueError("broken")

    monkeypatch.setattr(protection, "_span_sources", [broken])
    for at in (NOON, NOON + 4 * 86_400):
        sample(at)
    Sampler().tick(NOON + 5 * 86_400)
    assert SensorSample.objects.filter(taken_at=datetime.fromtimestamp(NOON, UTC)).exists()
    assert machine.celsius == 45.0
