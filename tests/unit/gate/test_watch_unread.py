"""A look that fails as a whole: what runs goes on, and a pause ends at its limit all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from gate import watching
from gate.conf import heat_file
from gate.core.policy import GatePolicy
from gate.core.readings import TemperatureReading, Vitals
from gate.core.units import GIB
from gate.core.watch import Act, Cause
from gate.watching import MachineWatch
from tests.support.builders import memory, temperature

LIMIT_SECONDS = 60.0


class Machine:
    """`celsius` None: whatever reads it raises."""

    celsius: float | None = 60.0

    def vitals(self, *_: object) -> Vitals:
        if self.celsius is None:
            raise OverflowError("int too large to convert to float")
        return Vitals(taken_at=1.0, memory=memory(8 * GIB), temperature=temperature(self.celsius))


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> Machine:
    settings.GATE_LOCK_PATH = tmp_path / "locks" / "whisper_large.lock"
    here = Machine()
    monkeypatch.setattr(watching, "take_vitals", here.vitals)
    monkeypatch.setattr(MachineWatch, "_ask_database", lambda self: None)
    return here


def test_what_runs_goes_on_and_it_is_logged_once(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    watch = MachineWatch(GatePolicy())
    machine.celsius = None
    for second in range(5):
        watched = watch.look(float(second))
        assert watched is not None
        assert watched.act is Act.NONE
    assert caplog.text.count("cannot read the machine") == 1
    machine.celsius = 82.0
    again = watch.look(6.0)
    assert again is not None
    assert again.act is Act.PAUSE


def test_a_pause_ends_at_its_limit_although_every_look_fails(machine: Machine) -> None:
    watch = MachineWatch(GatePolicy(pause_limit_seconds=LIMIT_SECONDS))
    machine.celsius = 82.0
    watch.look(0.0)
    assert watch.is_paused
    machine.celsius = None
    acts = [watch.look(float(second)) for second in range(1, 62)]
    assert [found.act for found in acts if found is not None] == [Act.NONE] * 60 + [Act.END]
    assert acts[-1] is not None
    assert acts[-1].cause is Cause.HEAT
    assert acts[-1].reason == "paused for heat longer than 60 s"


def test_an_end_for_sensors_that_never_answer_is_no_heat(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the gate would say that it had reached 80 °C, and stay shut on a machine that never falls below 75."""
    silent = TemperatureReading(deciding=None, is_silent=True)
    vitals = Vitals(taken_at=1.0, memory=memory(8 * GIB), temperature=silent)
    monkeypatch.setattr(watching, "take_vitals", lambda *_: vitals)
    watch = MachineWatch(GatePolicy())
    acts = [watch.look(float(second)) for second in range(30)]
    assert acts[-1] is not None
    assert acts[-1].act is Act.END
    assert not heat_file().is_tripped()


def test_what_cannot_be_told_does_not_keep_it_from_ending(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(watching, "watch_measures", fail)
    machine.celsius = 91.0
    watch = MachineWatch(GatePolicy())
    acts = [watch.look(second) for second in (0.0, 1.0)]
    assert [found and found.act for found in acts] == [Act.PAUSE, Act.END]
