from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError
from pytest_django import Settings

from gate.models import GateState, SampleSummary, SensorSample
from gate.sampler import Sampler
from gate.selectors import samples_recent
from gate.services import lock_acquire, lock_release
from tests.support.fake_machine import FakeMachine

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()


def stored() -> list[float]:
    """Seconds after noon."""
    return [row.taken_at.timestamp() - NOON for row in SensorSample.objects.order_by("taken_at")]


def test_it_stores_a_sample_every_five_seconds_while_something_works(machine: FakeMachine) -> None:
    sampler = Sampler(is_working=lambda: True)
    for second in range(11):
        machine.celsius = 45.0 + second
        sampler.tick(NOON + second)
    rows = list(SensorSample.objects.order_by("taken_at"))
    assert stored() == [0.0, 5.0, 10.0]
    assert [row.celsius for row in rows] == [45.0, 50.0, 55.0]
    assert {(row.host, row.sensor) for row in rows} == {("mini", "coretemp/Package id 0")}


@pytest.mark.usefixtures("machine")
def test_it_stores_a_sample_every_thirty_seconds_while_nothing_does() -> None:
    sampler = Sampler()
    for second in range(61):
        sampler.tick(NOON + second)
    assert stored() == [0.0, 30.0, 60.0]


@pytest.mark.usefixtures("machine")
def test_it_takes_the_faster_pace_when_the_lock_is_held_and_leaves_it_after() -> None:
    sampler = Sampler()
    held = None
    for second in range(70):
        if second == 10:
            held = lock_acquire(model="demo")
        if second == 21:
            assert held is not None
            lock_release(held)
        sampler.tick(NOON + second)
    assert stored() == [0.0, 10.0, 15.0, 20.0, 50.0]


def test_it_takes_the_faster_pace_while_it_is_hot(machine: FakeMachine) -> None:
    machine.celsius = 76.0
    sampler = Sampler()
    for second in range(11):
        sampler.tick(NOON + second)
    assert stored() == [0.0, 5.0, 10.0]


@pytest.mark.usefixtures("machine")
def test_it_asks_whether_somebody_works_no_more_than_every_five_seconds() -> None:
    asked: list[int] = []
    sampler = Sampler(is_working=lambda: bool(asked.append(1)))
    for second in range(60):
        sampler.tick(NOON + second)
    assert len(asked) <= 12


@pytest.mark.usefixtures("machine")
def test_it_summarises_what_it_stored() -> None:
    sampler = Sampler(is_working=lambda: True)
    for second in range(0, 125, 5):
        sampler.tick(NOON + second)
    rows = SampleSummary.objects.filter(host="mini", width_seconds=60).order_by("begins_at_seconds")
    assert [(row.begins_at_seconds - NOON, row.sample_count) for row in rows] == [(0, 12), (60, 12), (120, 1)]


def test_it_stores_what_is_not_there_as_nothing(machine: FakeMachine) -> None:
    machine.celsius = None
    Sampler().tick(NOON)
    row = SensorSample.objects.get()
    assert row.celsius is None
    assert row.available_bytes == machine.available_bytes


@pytest.mark.usefixtures("machine")
def test_it_remembers_for_the_gate_that_there_is_a_sensor() -> None:
    Sampler().tick(NOON)
    assert GateState.objects.get(host="mini").sensor_ever_seen


@pytest.mark.usefixtures("machine")
def test_it_drops_its_own_samples_after_two_days() -> None:
    for hours, host in ((49, "mini"), (47, "mini"), (49, "other")):
        taken_at = datetime.fromtimestamp(NOON, UTC) - timedelta(hours=hours)
        SensorSample.objects.create(host=host, taken_at=taken_at)
    Sampler().tick(NOON)
    kept = {(row.host, round((NOON - row.taken_at.timestamp()) / 3600)) for row in SensorSample.objects.all()}
    assert kept == {("mini", 0), ("mini", 47), ("other", 49)}


class Steady:
    """A clock that nobody sets."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


YEARS = 3 * 365 * 86_400.0


def kept() -> tuple[int, int]:
    return SensorSample.objects.filter(taken_at__lt="2026-06-01T00:00Z").count(), SampleSummary.objects.count()


@pytest.mark.usefixtures("machine")
def test_a_clock_that_is_set_forward_for_a_while_costs_no_history() -> None:
    steady = Steady()
    sampler = Sampler(monotonic=steady)
    for second in range(0, 120, 30):
        steady.seconds = float(second)
        sampler.tick(NOON + second)
    before = kept()
    for second in range(120, 3600, 600):  # every time it would be due
        steady.seconds = float(second)
        sampler.tick(NOON + YEARS + second)
        assert kept()[0] == before[0] > 0
        assert kept()[1] >= before[1] > 0
    sampler.tick(NOON + 4000)
    assert kept()[0] == before[0] + 1


@pytest.mark.usefixtures("machine")
def test_a_clock_that_stays_where_it_was_set_is_believed_after_an_hour() -> None:
    steady = Steady()
    sampler = Sampler(monotonic=steady)
    sampler.tick(NOON)
    for steady.seconds in (30.0, 1800.0, 3600.0, 3700.0):
        sampler.tick(NOON + YEARS + steady.seconds)
    assert kept()[0] == 0


@pytest.mark.usefixtures("machine")
def test_a_start_long_after_the_last_sample_waits_as_well() -> None:
    """Off for months, or with the wrong time after a battery failed: the first look cannot tell."""
    Sampler().tick(NOON)
    steady = Steady()
    sampler = Sampler(monotonic=steady)
    sampler.tick(NOON + YEARS)
    assert not sampler.is_clock_steady
    assert kept()[0] == 1
    for steady.seconds in (1800.0, 3601.0):
        sampler.tick(NOON + YEARS + steady.seconds)
    assert sampler.is_clock_steady
    assert kept()[0] == 0


@pytest.mark.usefixtures("machine")
def test_it_goes_on_storing_when_the_clock_is_set_back() -> None:
    sampler = Sampler()
    sampler.tick(NOON)
    sampler.tick(NOON - 3600)
    assert SensorSample.objects.count() == 2


@pytest.mark.usefixtures("machine")
def test_it_survives_a_database_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = Sampler()

    def refuse(**_: object) -> None:
        raise DatabaseError("locked")

    with monkeypatch.context() as broken:
        # The connection of a test must stay open: it carries the transaction.
        broken.setattr("gate.sampler.connections.close_all", lambda: None)
        broken.setattr(SensorSample.objects, "create", refuse)
        sampler.tick(NOON)
        problems = [sampler.database_problem]
    sampler.tick(NOON + 5)
    problems.append(sampler.database_problem)
    assert problems == ["locked", None]
    assert SensorSample.objects.count() == 1


@pytest.mark.usefixtures("machine")
def test_it_runs_until_it_is_told_to_stop() -> None:
    stop = threading.Event()
    ticks: list[float] = []

    def on_tick(now: float) -> None:
        ticks.append(now)
        if len(ticks) == 3:
            stop.set()

    Sampler(every_seconds=0.01).run(stop, on_tick=on_tick)
    assert ticks == sorted(ticks)
    assert len(ticks) == 3


@pytest.mark.usefixtures("machine")
def test_recent_samples_are_those_of_this_host(settings: Settings) -> None:
    now = datetime.now(UTC)
    for minutes, host in ((1, "mini"), (9, "mini"), (11, "mini"), (1, "other")):
        SensorSample.objects.create(host=host, taken_at=now - timedelta(minutes=minutes))
    assert [round((now - row.taken_at).total_seconds() / 60) for row in samples_recent(10)] == [9, 1]
