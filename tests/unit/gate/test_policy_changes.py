"""Every change of a limit is kept: who, when, from what to what; also one that was made outside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from gate.core.requirement import Requirement
from gate.core.units import GIB
from gate.core.verdict import CheckName
from gate.models import PolicyChange, SensorSample, SensorUse
from gate.services import gate_evaluate, policy_in_force, policy_note, sensor_choose
from tests.support.fake_machine import FakeMachine

pytestmark = pytest.mark.django_db

PACKAGE = "coretemp/Package id 0"


def changes() -> list[tuple[str, str, str, str]]:
    return list(PolicyChange.objects.order_by("pk").values_list("who", "name", "before", "after"))


@pytest.mark.usefixtures("machine")
def test_the_first_start_changes_nothing() -> None:
    assert policy_note() == []
    assert changes() == []


@pytest.mark.usefixtures("machine")
def test_a_limit_that_differs_at_a_start_is_noted_once(settings: Settings) -> None:
    policy_note()
    settings.GATE_MARGIN_BYTES = GIB
    policy_note()
    policy_note()
    assert changes() == [("environment", "margin_bytes", str(4 * GIB), str(GIB))]


@pytest.mark.usefixtures("machine")
def test_a_verdict_notes_it_too_so_that_none_is_given_under_an_unnoted_limit(settings: Settings) -> None:
    gate_evaluate(Requirement("tiny", GIB, "test"), purpose="check")
    settings.GATE_TRIP_CELSIUS = 84.0
    gate_evaluate(Requirement("tiny", GIB, "test"), purpose="check")
    assert changes() == [("environment", "trip_celsius", "80.0", "84.0")]


def test_a_sensor_ignored_in_the_panel_decides_no_more(machine: FakeMachine) -> None:
    machine.celsius = 85.0
    requirement = Requirement("tiny", GIB, "test")
    assert not gate_evaluate(requirement, purpose="check").admitted
    sensor_choose(PACKAGE, SensorUse.IGNORED, who="anna")
    verdict = gate_evaluate(requirement, purpose="check")
    assert not verdict.admitted  # a sensor was there and none is left: unknown, which blocks
    assert verdict.result(CheckName.TEMPERATURE).outcome == "unknown"
    assert changes() == [("anna", "ignored_sensors", "", PACKAGE)]


@pytest.mark.usefixtures("machine")
def test_a_pin_replaces_another_pin_and_can_be_taken_back(settings: Settings) -> None:
    settings.GATE_PINNED_SENSOR = "k10temp/Tctl"
    policy_note()
    sensor_choose("a/1", SensorUse.PINNED, who="anna")
    sensor_choose("a/2", SensorUse.PINNED, who="ben")
    assert policy_in_force().pinned_sensor == "a/2"
    sensor_choose("a/2", None, who="anna")
    assert policy_in_force().pinned_sensor == "k10temp/Tctl"
    assert [change[0:1] + change[2:] for change in changes()] == [
        ("anna", "k10temp/Tctl", "a/1"),
        ("ben", "a/1", "a/2"),
        ("anna", "a/2", "k10temp/Tctl"),
    ]


@pytest.mark.usefixtures("machine")
def test_ignoring_the_pinned_sensor_of_the_settings_takes_the_pin_away(settings: Settings) -> None:
    settings.GATE_PINNED_SENSOR = PACKAGE
    sensor_choose(PACKAGE, SensorUse.IGNORED, who="anna")
    policy = policy_in_force()
    assert (policy.pinned_sensor, policy.ignored_sensors) == (None, (PACKAGE,))


def test_a_heat_block_says_how_long_from_the_samples_of_the_last_minute(machine: FakeMachine) -> None:
    now = datetime.now(UTC)
    for seconds in range(5, 60, 5):
        SensorSample.objects.create(
            host="mini", taken_at=now - timedelta(seconds=seconds), sensor=PACKAGE, celsius=81.0 + 0.1 * seconds
        )
    machine.celsius = 81.0
    unblock = gate_evaluate(Requirement("tiny", GIB, "test"), purpose="check").result(CheckName.TEMPERATURE).unblock
    assert "in about 60 s if it goes on cooling" in unblock
