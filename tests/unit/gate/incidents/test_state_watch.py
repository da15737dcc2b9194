"""Sensors and lock as the sampler looks at them: an incident opens once, and is over when the cause is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.db import DatabaseError
from pytest_django import Settings

from gate.core.incidents.kinds import IncidentKind
from gate.core.incidents.lifecycle import IncidentStatus
from gate.core.readings import Judgement, SensorReading, TemperatureReading, Vitals
from gate.core.units import GIB
from gate.models import GateState, Incident
from gate.sampler import Sampler
from gate.services import incident_report, lock_acquire, lock_release
from gate.services import lock as lock_services
from gate.state_watch import ALL_SENSORS, LOST_AFTER_SECONDS, StateWatch, bad_sensors
from tests.support.builders import memory
from tests.support.fake_machine import FakeMachine
from tests.support.occurrences import NOON
from tests.unit.gate.test_lock_events import gone_pid, write_lock

pytestmark = pytest.mark.django_db


def run(sampler: Sampler, first: int, last: int, step: int = 5) -> None:
    for second in range(first, last, step):
        sampler.tick(NOON + second)


def told() -> list[tuple[str, str, str]]:
    return [(row.kind, row.subject, row.status) for row in Incident.objects.order_by("pk")]


def test_a_sensor_that_is_lost_for_a_minute_is_one_and_over_when_it_is_back(machine: FakeMachine) -> None:
    GateState.objects.create(host="mini", sensor_ever_seen=True)
    machine.celsius = None
    sampler = Sampler()
    run(sampler, 0, int(LOST_AFTER_SECONDS))
    assert told() == []
    run(sampler, int(LOST_AFTER_SECONDS), int(LOST_AFTER_SECONDS) + 300)
    assert told() == [("bad_sensor", ALL_SENSORS, IncidentStatus.OPEN)]
    assert Incident.objects.get().count == 1, "a look that changes nothing does not count"
    machine.celsius = 45.0
    back = Sampler()  # a new process finds it at once; the one above would after a minute
    run(back, 400, 420)
    assert told() == [("bad_sensor", ALL_SENSORS, IncidentStatus.RESOLVED)]
    assert Incident.objects.get().recovery == "The sensor is back."


def test_a_machine_that_never_had_a_sensor_has_none_to_lose(machine: FakeMachine) -> None:
    machine.celsius = None
    run(Sampler(), 0, 300)
    assert told() == []


def test_one_whose_first_reading_already_hangs_is_told_as_well(machine: FakeMachine) -> None:
    silent = TemperatureReading(deciding=None, problem="a sensor asked 5 s ago does not answer", is_silent=True)
    watch = StateWatch()
    for second in range(0, int(LOST_AFTER_SECONDS) + 20, 5):
        watch.look(Vitals(taken_at=NOON + second, memory=memory(8 * GIB), temperature=silent), NOON + second)
    assert told() == [("bad_sensor", ALL_SENSORS, IncidentStatus.OPEN)]
    incident = Incident.objects.get()
    assert "a sensor asked 5 s ago does not answer. The gate blocks until one does." in incident.summary
    assert incident.causes == ["Its driver hangs in a question to the device."]
    assert machine.celsius == 45.0


def sensor(name: str, judgement: Judgement) -> SensorReading:
    return SensorReading(id=name, celsius=103.0, judgement=judgement, reason="stood still for 10 minutes")


def test_a_processor_sensor_that_stands_still_is_one_and_a_constant_of_another_kind_is_none() -> None:
    """TCPG of the 2012 Mac Mini always shows 103 °C."""
    good = sensor("coretemp/Package id 0", Judgement.DECIDES)
    flat = [sensor("coretemp/Core 0", Judgement.FLATLINED), sensor("applesmc/TCPG", Judgement.FLATLINED)]
    reading = TemperatureReading(deciding=good, sensors=(good, *flat), ever_seen=True)
    assert [found.subject for found in bad_sensors(reading, lost_seconds=0, now=NOON)] == ["coretemp/Core 0"]


def test_a_stale_lock_is_one_until_it_is_gone(machine: FakeMachine, settings: Settings) -> None:
    write_lock(settings, f"{gone_pid()}\n")
    sampler = Sampler()
    run(sampler, 0, 60)
    assert told() == [("lock_stale", "lock", IncidentStatus.OPEN)]
    assert Incident.objects.get().evidence.get().text
    Path(settings.GATE_LOCK_PATH).unlink()
    run(sampler, 60, 80)
    assert told() == [("lock_stale", "lock", IncidentStatus.RESOLVED)]
    assert machine.celsius == 45.0


def test_a_stale_lock_that_the_next_start_takes_over_is_told_as_over(machine: FakeMachine, settings: Settings) -> None:
    write_lock(settings, f"{gone_pid()}\n")
    lock_release(lock_acquire(model="demo", job_ref="job 7"))
    assert told() == [("lock_stale", "lock", IncidentStatus.RESOLVED)]
    assert "taken over" in Incident.objects.get().summary
    assert machine.celsius == 45.0


def test_a_stale_lock_that_was_told_before_it_is_taken_over_counts_once(
    machine: FakeMachine, settings: Settings
) -> None:
    write_lock(settings, f"{gone_pid()}\n")
    run(Sampler(), 0, 20)
    lock_release(lock_acquire(model="demo", job_ref="job 7"))
    found = Incident.objects.get()
    assert (found.status, found.count) == (IncidentStatus.RESOLVED, 1)
    assert "taken over by the next start" in found.recovery
    assert machine.celsius == 45.0


def test_a_stale_lock_is_taken_over_although_its_incident_cannot_be_resolved(
    machine: FakeMachine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise DatabaseError("no such column")

    write_lock(settings, f"{gone_pid()}\n")
    run(Sampler(), 0, 20)
    monkeypatch.setattr(lock_services, "incidents_settle", fail)
    lock_release(lock_acquire(model="demo", job_ref="job 7"))
    assert Incident.objects.get().status == IncidentStatus.OPEN
    assert machine.celsius == 45.0


def test_a_holder_without_a_sign_of_life_is_one_until_it_lives_again(machine: FakeMachine, settings: Settings) -> None:
    held = lock_acquire(model="demo", job_ref="job 7")
    record = Path(f"{settings.GATE_LOCK_PATH}.json")
    try:
        sampler = Sampler()
        run(sampler, 0, 20)
        assert told() == []
        long_ago = record.stat().st_mtime - 3600
        os.utime(record, (long_ago, long_ago))
        run(sampler, 20, 40)
        (first,) = [(kind, status) for kind, _, status in told() if kind == "lock_hung"] or [None]
        assert first == ("lock_hung", IncidentStatus.OPEN)
        held.heartbeat()
        run(sampler, 40, 60)
        assert ("lock_hung", "lock", IncidentStatus.RESOLVED) in told()
    finally:
        lock_release(held)
    assert machine.celsius == 45.0


def test_a_pause_is_over_at_the_latest_when_nobody_holds_the_lock(
    machine: FakeMachine, settings: Settings, tmp_path: Path
) -> None:
    """Its watch may have been killed before it could say so."""
    settings.GATE_LOCK_PATH = tmp_path / "locks" / "whisper_large.lock"
    held = lock_acquire(model="demo", job_ref="job 7")
    try:
        incident_report(IncidentKind.THERMAL_PAUSE, "engine", "The engine of job 7 was paused.", at=NOON)
        run(Sampler(), 0, 30)
        assert told() == [("thermal_pause", "engine", IncidentStatus.OPEN)]
    finally:
        lock_release(held)
    run(Sampler(), 30, 60)
    assert told() == [("thermal_pause", "engine", IncidentStatus.RESOLVED)]
