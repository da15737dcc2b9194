from __future__ import annotations

import pytest

from gate.core.incidents.kinds import IncidentKind
from gate.core.incidents.watching import end_kind, watch_measures
from gate.core.policy import GatePolicy
from gate.core.readings import Judgement, MemoryReading, SensorReading, TemperatureReading, Vitals
from gate.core.units import GIB

POLICY = GatePolicy()


def vitals(celsius: float | None, gib: float | None) -> Vitals:
    sensor = SensorReading(id="coretemp/Package id 0", celsius=celsius, judgement=Judgement.DECIDES, reason="")
    memory = MemoryReading(available_bytes=None if gib is None else int(gib * GIB), total_bytes=16 * GIB)
    return Vitals(
        taken_at=0.0, memory=memory, temperature=TemperatureReading(deciding=None if celsius is None else sensor)
    )


@pytest.mark.parametrize(
    ("celsius", "gib", "kind"),
    [
        (90.0, 8.0, IncidentKind.THERMAL_END),
        (89.9, 1.9, IncidentKind.MEMORY_END),
        (90.0, 1.9, IncidentKind.THERMAL_END),
        (82.0, 8.0, IncidentKind.THERMAL_END),  # paused for too long
        (None, 1.9, IncidentKind.MEMORY_END),
    ],
)
def test_heat_or_memory_ended_it(celsius: float | None, gib: float, kind: IncidentKind) -> None:
    assert end_kind(vitals(celsius, gib), POLICY) is kind


@pytest.mark.parametrize(("celsius", "ended", "limit"), [(82.0, False, 80.0), (92.0, True, 90.0), (82.0, True, 80.0)])
def test_the_temperature_is_measured_against_the_mark_that_counted(celsius: float, ended: bool, limit: float) -> None:
    hot, memory = watch_measures(vitals(celsius, 1.0), POLICY, ended=ended)
    assert (hot.limit, hot.is_violated) == (limit, True)
    assert (memory.violation_text, memory.at_least) == ("50 %", True)


def test_what_was_not_readable_is_no_measure() -> None:
    assert watch_measures(vitals(None, None), POLICY) == []
