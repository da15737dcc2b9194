from __future__ import annotations

import pytest

from gate.core.checks import check_temperature, latch_after
from gate.core.hysteresis import Latch
from gate.core.policy import GatePolicy
from gate.core.readings import Judgement, SensorReading, TemperatureReading
from gate.core.verdict import CheckResult, Outcome
from tests.support.builders import temperature

POLICY = GatePolicy()


def check(reading: TemperatureReading, latch: Latch) -> CheckResult:
    return check_temperature(reading, POLICY, latch_after(reading, POLICY, latch))


@pytest.mark.parametrize(
    ("celsius", "tripped", "outcome"),
    [
        (45.0, False, Outcome.PASS),
        (79.9, False, Outcome.PASS),
        (80.0, False, Outcome.BLOCK),
        (80.9, False, Outcome.BLOCK),
        (76.0, False, Outcome.PASS),
        (76.0, True, Outcome.BLOCK),
        (75.0, True, Outcome.BLOCK),
        (74.9, True, Outcome.PASS),
    ],
)
def test_it_blocks_from_the_trip_mark_until_below_the_reset_mark(
    celsius: float, tripped: bool, outcome: Outcome
) -> None:
    assert check(temperature(celsius), Latch(tripped)).outcome is outcome


def test_a_machine_that_never_had_a_sensor_is_warned() -> None:
    result = check(temperature(None, ever_seen=False), Latch())
    assert (result.outcome, result.summary) == (Outcome.WARN, "no temperature sensor here")


def test_a_lost_sensor_is_unknown() -> None:
    result = check(temperature(None, ever_seen=True), Latch())
    assert result.outcome is Outcome.UNKNOWN
    assert "a sensor was seen on this machine before" in result.summary


def test_a_reading_that_failed_is_unknown_also_where_no_sensor_was_seen() -> None:
    result = check(temperature(None, ever_seen=False, problem="OSError: no"), Latch())
    assert result.outcome is Outcome.UNKNOWN
    assert result.summary == "the temperature could not be read (OSError: no)"


def test_a_lost_sensor_leaves_the_latch_as_it_was() -> None:
    assert latch_after(temperature(None), POLICY, Latch(True)) == Latch(True)
    assert latch_after(temperature(None), POLICY, Latch(False)) == Latch(False)


def test_not_a_number_is_unknown() -> None:
    assert check(temperature(float("nan")), Latch()).outcome is Outcome.UNKNOWN


def test_a_sensor_that_never_answers_is_not_to_be_pinned_away() -> None:
    """All are asked in turn, so that the one which hangs keeps the others from being read."""
    result = check(TemperatureReading(deciding=None, problem="it hangs", is_silent=True), Latch())
    assert result.outcome is Outcome.UNKNOWN
    assert "restart the machine" in result.unblock
    assert "pin" not in result.unblock


def test_a_hot_machine_says_when_it_starts_again() -> None:
    result = check(temperature(82.0), Latch())
    assert result.summary == "82.0 °C (coretemp Package id 0), limit 80.0 °C"
    assert result.unblock == "Cooling: 82.0 °C (coretemp Package id 0); starts again below 75.0 °C."


def test_at_the_trip_mark_it_is_hot_not_cooling() -> None:
    assert check(temperature(80.0), Latch(True)).summary == "80.0 °C (coretemp Package id 0), limit 80.0 °C"


def test_a_cooling_machine_says_that_it_is_cooling() -> None:
    result = check(temperature(76.0), Latch(True))
    assert "still cooling" in result.summary
    assert result.limit == 75.0


def test_its_evidence_lists_every_sensor_with_its_verdict() -> None:
    sensors = (
        SensorReading(id="coretemp/Core 0", celsius=61.0, judgement=Judgement.USABLE, reason="coretemp core"),
        SensorReading(id="applesmc/TC0P", celsius=None, judgement=Judgement.IMPOSSIBLE, reason="no value"),
    )
    result = check(TemperatureReading(deciding=None, sensors=sensors, ever_seen=False), Latch())
    assert result.evidence == ("coretemp/Core 0: 61.0 °C, coretemp core", "applesmc/TC0P: unreadable, no value")
    assert result.summary == "no usable temperature sensor here"
