from __future__ import annotations

from collections.abc import Sequence

import pytest

from gate.core.policy import GatePolicy
from gate.core.readings import Judgement, TemperatureReading
from gate.core.thermal import HistoryPoint, RawSensor, is_flatlined, judge_sensors


def raw(chip: str, label: str, celsius: float | None) -> RawSensor:
    return RawSensor(chip=chip, label=label, celsius=celsius)


def judge(
    *sensors: RawSensor, policy: GatePolicy | None = None, flatlined: Sequence[str] = (), ever_seen: bool = False
) -> TemperatureReading:
    return judge_sensors(sensors, policy or GatePolicy(), flatlined=frozenset(flatlined), ever_seen=ever_seen)


# Late-2012 Mac Mini under Linux, idle: constants beside the real cores (public reports, see the module).
MAC_MINI = (
    raw("coretemp", "Core 0", 44.0),
    raw("coretemp", "Core 1", 45.0),
    raw("applesmc", "TC0P", 51.0),
    raw("applesmc", "TCPG", 103.0),
    raw("applesmc", "TC0G", 99.0),
    raw("applesmc", "TC0J", 1.0),
    raw("applesmc", "Tp0C", -127.0),
)
PACKAGE = raw("coretemp", "Package id 0", 45.0)
LADDER = [
    PACKAGE,
    raw("k10temp", "Tctl", 46.0),
    raw("coretemp", "Core 0", 47.0),
    raw("thermal", "x86_pkg_temp", 48.0),
    raw("applesmc", "TC0P", 49.0),
]


@pytest.mark.parametrize("first", range(len(LADDER)))
def test_the_best_sensor_that_is_there_decides(first: int) -> None:
    reading = judge(*reversed(LADDER[first:]))
    assert reading.deciding is not None
    assert reading.deciding.id == LADDER[first].id


@pytest.mark.parametrize(
    ("chip", "label", "decides"),
    [
        ("coretemp", "Physical id 0", True),
        ("k10temp", "Tdie", True),
        ("k10temp", "", True),
        ("k10temp", "Tccd1", False),
        ("cpu_thermal", "", True),
        ("thermal", "cpu-thermal", True),
        ("thermal", "acpitz", False),
        ("acpitz", "", False),
        ("nvme", "Composite", False),
        ("iwlwifi_1", "", False),
        ("applesmc", "TCPG", False),
    ],
)
def test_only_a_processor_sensor_decides(chip: str, label: str, decides: bool) -> None:
    assert (judge(raw(chip, label, 50.0)).deciding is not None) is decides


def test_the_103_degrees_of_the_mac_mini_do_not_decide() -> None:
    reading = judge(*MAC_MINI)
    assert reading.deciding is not None
    assert (reading.deciding.id, reading.deciding.celsius) == ("coretemp/Core 1", 45.0)


def test_the_hotter_of_two_packages_decides() -> None:
    reading = judge(PACKAGE, raw("coretemp", "Package id 1", 70.0))
    assert reading.deciding is not None
    assert reading.deciding.celsius == 70.0


@pytest.mark.parametrize(
    ("celsius", "usable"),
    [(None, False), (float("nan"), False), (float("inf"), False), (-127.0, False), (0.0, False), (0.1, True),
     (124.9, True), (125.0, False), (129.0, False)],
)  # fmt: skip
def test_an_impossible_value_is_rejected(celsius: float | None, usable: bool) -> None:
    reading = judge(raw("coretemp", "Package id 0", celsius))
    assert (reading.deciding is not None) is usable
    assert usable or reading.sensors[0].judgement is Judgement.IMPOSSIBLE


def test_an_impossible_package_gives_way_to_its_cores() -> None:
    reading = judge(raw("coretemp", "Package id 0", 0.0), raw("coretemp", "Core 0", 61.0))
    assert reading.deciding is not None
    assert reading.deciding.id == "coretemp/Core 0"


def test_a_flatlined_sensor_does_not_decide() -> None:
    reading = judge(PACKAGE, flatlined=["coretemp/Package id 0"], ever_seen=True)
    assert reading.deciding is None
    assert reading.sensors[0].judgement is Judgement.FLATLINED


def test_an_ignored_sensor_does_not_decide() -> None:
    policy = GatePolicy(ignored_sensors=("coretemp/Package id 0",))
    assert judge(PACKAGE, policy=policy).deciding is None


def test_a_pinned_sensor_decides_before_all_others() -> None:
    policy = GatePolicy(pinned_sensor="nct6775/CPUTIN")
    reading = judge(PACKAGE, raw("nct6775", "CPUTIN", 60.0), policy=policy)
    assert reading.deciding is not None
    assert reading.deciding.celsius == 60.0


def test_a_pinned_sensor_that_is_missing_is_not_replaced() -> None:
    reading = judge(PACKAGE, policy=GatePolicy(pinned_sensor="nct6775/CPUTIN"))
    assert reading.deciding is None
    assert reading.problem == "the pinned sensor nct6775/CPUTIN is not there"


def test_a_usable_sensor_is_remembered_as_seen() -> None:
    assert judge(PACKAGE).ever_seen
    assert not judge().ever_seen
    assert judge(ever_seen=True).ever_seen


def points(*values: tuple[float, float, float]) -> list[HistoryPoint]:
    return [HistoryPoint(*value) for value in values]


@pytest.mark.parametrize(
    ("minutes", "last_celsius", "last_load", "flat"),
    [
        (10, 103.0, 1.5, True),
        (10, 103.1, 1.5, False),
        (10, 103.0, 1.0, True),
        (10, 103.0, 0.9, False),
        (9, 103.0, 1.5, False),
    ],
)
def test_is_flatlined_needs_ten_still_minutes_and_a_moving_load(
    minutes: int, last_celsius: float, last_load: float, flat: bool
) -> None:
    # Monotonic clocks begin anywhere, and no machine is ever quite idle.
    steady = [HistoryPoint(9000.0 + 60.0 * minute, 103.0, 0.5) for minute in range(minutes)]
    last = HistoryPoint(9000.0 + 60.0 * minutes, last_celsius, 0.5 + last_load)
    assert is_flatlined([*steady, last]) is flat


def test_is_flatlined_needs_more_than_a_few_points() -> None:
    few = [(100.0 * number, 103.0, float(number)) for number in range(8)]
    assert is_flatlined(points(*few))
    assert not is_flatlined(points(*few[:3], *few[4:]))
    assert not is_flatlined([])
