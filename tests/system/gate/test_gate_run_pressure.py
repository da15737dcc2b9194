"""`gate run` while all programs wait for memory: what would be ended at once is not started."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.machines import in_place_of
from tests.support.run_place import TINY, Place
from tests.support.tight_machine import PRESSURE, MemoryGauge

pytestmark = pytest.mark.usefixtures("namespaces")
SAID = "Blocked by memory pressure: all programs wait for memory 61 % of the time, limit 50 %, and the command would be"


@pytest.fixture
def gauge(tmp_path: Path) -> MemoryGauge:
    gauge = MemoryGauge(tmp_path)
    gauge.set_pressure(61.0)
    return gauge


def under(gauge: MemoryGauge) -> tuple[str, ...]:
    return in_place_of({"/proc/meminfo": gauge.meminfo, str(PRESSURE): gauge.pressure})


def test_it_is_refused_with_75(place: Place, gauge: MemoryGauge, tmp_path: Path) -> None:
    code, _, err = place.run(*TINY, "touch", str(tmp_path / "started"), before=under(gauge))
    assert code == 75
    assert err.count(SAID) == 1
    assert "It starts when" not in err
    assert not (tmp_path / "started").exists()


def test_with_wait_it_starts_when_that_has_eased(place: Place, gauge: MemoryGauge) -> None:
    words = ("run", "--wait", "--model", "tiny", "--", sys.executable, "-c", "print('went')")
    runner = place.start(*words, before=under(gauge))
    place.until_said(runner, SAID)
    place.take(timeout_seconds=0).release()  # nobody else is kept out meanwhile
    assert runner.poll() is None
    gauge.set_pressure(0.0)
    out, _ = runner.communicate(timeout=60)
    assert (runner.returncode, out) == (0, "went\n")
    assert place.err(runner).count("Blocked") == 1
