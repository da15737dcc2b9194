"""What `gate sensors` prints: never that there is no sensor where one is that cannot be read."""

from __future__ import annotations

from dataclasses import replace

from gate.cli.texts import sensor_lines
from gate.core.readings import Judgement, SensorReading
from tests.support.builders import temperature

STILL = SensorReading(id="coretemp/Core 0", celsius=45.0, judgement=Judgement.FLATLINED, reason="stood still")


def test_the_one_that_decides_comes_alone() -> None:
    (line,) = sensor_lines(temperature(45.0))
    assert line.startswith("coretemp/Package id 0")


def test_a_machine_that_never_had_one_is_told_what_may_bring_one() -> None:
    (line,) = sensor_lines(temperature(None, ever_seen=False))
    assert line.startswith("No temperature sensor here.")


def test_one_that_hangs_is_named_with_what_helps() -> None:
    reading = temperature(None, ever_seen=False, problem="the sensor nvme/temp1 asked 5 s ago does not answer")
    lines = sensor_lines(replace(reading, is_silent=True))
    assert lines[0] == "No temperature: the sensor nvme/temp1 asked 5 s ago does not answer."
    assert "restart the machine" in lines[1]


def test_where_there_are_some_and_none_decides_the_reason_comes_after_them() -> None:
    listed, why, advice = sensor_lines(replace(temperature(None, ever_seen=True), sensors=(STILL,)))
    assert listed.startswith("coretemp/Core 0")
    assert why == "No temperature: a sensor was seen on this machine before, and none answers now."
    assert "pin another one" in advice
