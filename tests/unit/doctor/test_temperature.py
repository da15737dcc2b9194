"""Sensors: the one that decides, none at all, one that was lost, those that stand still."""

from __future__ import annotations

from dataclasses import replace

from gate.core.readings import Judgement, SensorReading
from j5a_admin.doctor.findings import Status
from j5a_admin.doctor.temperature import judge_flatlined, judge_sensors, temperature_findings
from tests.support.builders import temperature

CONSTANT = SensorReading(id="applesmc/TCPG", celsius=103.0, judgement=Judgement.FLATLINED, reason="stood still")


def test_it_names_the_sensor_that_decides() -> None:
    finding = judge_sensors(temperature(45.0))
    assert finding.status is Status.PASS
    assert finding.sentence == "coretemp/Package id 0 decides (coretemp package): 45.0 °C."


def test_it_warns_of_a_machine_without_a_sensor() -> None:
    finding = judge_sensors(temperature(None, ever_seen=False))
    assert finding.status is Status.WARN
    assert "no temperature sensor here" in finding.sentence


def test_it_warns_of_sensors_that_are_all_unusable() -> None:
    reading = replace(temperature(None, ever_seen=False), sensors=(CONSTANT,))
    assert judge_sensors(reading).status is Status.WARN
    assert "no usable temperature sensor" in judge_sensors(reading).sentence


def test_it_fails_when_a_sensor_is_lost() -> None:
    finding = judge_sensors(temperature(None, ever_seen=True))
    assert finding.status is Status.FAIL
    assert "seen on this machine before" in finding.sentence


def test_one_that_hangs_is_not_to_be_brought_back_by_its_module() -> None:
    reading = temperature(None, ever_seen=True, problem="a sensor asked 5 s ago does not answer")
    finding = judge_sensors(replace(reading, is_silent=True))
    assert finding.sentence == "No job can start: a sensor asked 5 s ago does not answer."
    assert "restart the machine" in finding.advice
    assert "modprobe coretemp" not in finding.advice


def test_it_fails_when_the_pinned_sensor_is_not_there() -> None:
    finding = judge_sensors(temperature(None, ever_seen=False, problem="the pinned sensor x is not there"))
    assert finding.status is Status.FAIL
    assert "the pinned sensor x is not there" in finding.sentence


def test_it_warns_of_a_sensor_that_stands_still() -> None:
    reading = replace(temperature(45.0), sensors=(*temperature(45.0).sensors, CONSTANT))
    decides, still = temperature_findings(reading)
    assert decides.status is Status.PASS
    assert (still.status, still.sentence.startswith("applesmc/TCPG:")) == (Status.WARN, True)


def test_it_says_nothing_of_sensors_that_move() -> None:
    assert judge_flatlined(temperature(45.0)) is None
    assert len(temperature_findings(temperature(45.0))) == 1
