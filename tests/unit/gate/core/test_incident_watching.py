from __future__ import annotations

import pytest

from gate.core.incidents.kinds import IncidentKind
from gate.core.incidents.watching import end_kind, watch_measures
from gate.core.policy import GatePolicy
from gate.core.readings import Judgement, MemoryReading, SensorReading, TemperatureReading, Vitals
from gate.core.units import GIB
from gate.core.watch import Cause

POLICY = GatePolicy()


def vitals(celsius: float | None, gib: float | None) -> Vitals:
    sensor = SensorReading(id="coretemp/Package id 0", celsius=celsius, judgement=Judgement.DECIDES, reason="")
    memory = MemoryReading(available_bytes=None if gib is None else int(gib * GIB), total_bytes=16 * GIB)
    return Vitals(
        taken_at=0.0, memory=memory, temperature=TemperatureReading(deciding=None if celsius is None else sensor)
    )


@pytest.mark.parametrize(
    ("cause", "kind"), [(Cause.HEAT, IncidentKind.THERMAL_END), (Cause.MEMORY, IncidentKind.MEMORY_END)]
)
def test_heat_or_memory_ended_it(cause: Cause, kind: IncidentKind) -> None:
    assert end_kind(cause) is kind


def test_memory_that_all_programs_wait_for_is_measured() -> None:
    memory = MemoryReading(available_bytes=8 * GIB, total_bytes=16 * GIB, psi_full_avg10=60.0)
    seen = Vitals(taken_at=0.0, memory=memory, temperature=TemperatureReading(deciding=None))
    calm, waits = watch_measures(seen, POLICY)
    assert (calm.is_violated, waits.is_violated, waits.value, waits.limit) == (False, True, 60.0, 50.0)
    assert waits.value_text == "60 % of the time"


@pytest.mark.parametrize(("celsius", "ended", "limit"), [(82.0, False, 80.0), (92.0, True, 90.0), (82.0, True, 80.0)])
def test_the_temperature_is_measured_against_the_mark_that_counted(celsius: float, ended: bool, limit: float) -> None:
    hot, memory = watch_measures(vitals(celsius, 1.0), POLICY, ended=ended)
    assert (hot.limit, hot.is_violated) == (limit, True)
    assert (memory.violation_text, memory.at_least) == ("50 %", True)


def test_what_was_not_readable_is_no_measure() -> None:
    assert watch_measures(vitals(None, None), POLICY) == []
