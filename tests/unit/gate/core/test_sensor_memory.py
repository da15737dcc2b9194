from __future__ import annotations

from gate.core.sensor_memory import SensorMemory
from gate.core.thermal import RawSensor


def sensor(celsius: float) -> RawSensor:
    return RawSensor(chip="coretemp", label="Package id 0", celsius=celsius)


def test_all_sensors_are_due_at_start_and_once_a_minute() -> None:
    known = SensorMemory()
    assert known.enumeration_due(0.0, searching=False)
    known.enumerated_at_seconds = 500.0
    assert not known.enumeration_due(559.9, searching=False)
    assert known.enumeration_due(560.0, searching=False)


def test_a_missing_sensor_is_looked_for_sooner() -> None:
    known = SensorMemory(enumerated_at_seconds=500.0)
    assert not known.enumeration_due(504.9, searching=True)
    assert known.enumeration_due(505.0, searching=True)


def test_a_still_sensor_under_a_moving_load_is_flatlined_after_ten_minutes() -> None:
    known = SensorMemory()
    for second in range(0, 600, 10):
        known.remember(sensor(45.0), float(second), load1=second / 300)
    assert not known.flatlined()
    known.remember(sensor(45.0), 600.0, load1=2.0)
    assert known.flatlined() == {"coretemp/Package id 0"}


def test_one_move_between_two_kept_points_is_not_missed() -> None:
    known = SensorMemory()
    for second in range(0, 700, 10):
        known.remember(sensor(45.0), float(second), load1=second / 300)
        known.remember(sensor(46.0 if second == 300 else 45.0), second + 5.0, load1=second / 300)
    assert not known.flatlined()


def test_without_a_load_nothing_is_flatlined() -> None:
    known = SensorMemory()
    for second in range(0, 700, 10):
        known.remember(sensor(45.0), float(second), load1=None)
    assert not known.flatlined()


def test_fifteen_minutes_are_remembered_although_it_looks_every_second() -> None:
    """A flatline must be seen from looks of the whole ten minutes, not from the last ninety."""
    known = SensorMemory()
    for second in range(5000, 5601):
        known.remember(sensor(45.0), float(second), load1=1.0 + (second >= 5300))
    assert known.flatlined() == {"coretemp/Package id 0"}
