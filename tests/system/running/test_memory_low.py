"""A job on a machine whose memory runs out: it is ended in time, comes back, and its text is the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.hot_machine import state_of
from tests.support.machines import may_skip
from tests.support.panel import Panel, until
from tests.support.speech_files import joined
from tests.support.tight_machine import GIB, PRESSURE, MemoryGauge, tight_panel
from tests.support.windows import decoded_windows
from tests.system.running.test_heat import PLAIN, outcomes, started

pytestmark = pytest.mark.usefixtures("namespaces")


@pytest.fixture
def tight(tmp_path: Path) -> Iterator[tuple[Panel, MemoryGauge]]:
    if not PRESSURE.exists():
        may_skip("this kernel tells no memory pressure (PSI), so there is nothing to put a look-alike in the place of")
    panel, gauge = tight_panel(tmp_path, J5A_ENGINE_THREADS="1")
    try:
        yield panel.start(), gauge
    finally:
        panel.stop()


def blockings(panel: Panel, job_id: int) -> list[str]:
    """The reason of each change of the job to blocked, the first one first."""
    query = "SELECT reason FROM transcribe_jobevent WHERE job_id = ? AND new = 'blocked' ORDER BY id"
    return [row["reason"] for row in panel.rows(query, job_id)]


def gate_refusals(panel: Panel, job_id: int) -> list[str]:
    query = "SELECT reason FROM transcribe_attempt WHERE job_id = ? AND outcome = 'blocked' ORDER BY number"
    return [row["reason"] for row in panel.rows(query, job_id)]


def waits(panel: Panel, job_id: int) -> list[str]:
    """The reasons of tries at which no engine was started for memory pressure."""
    query = "SELECT reason FROM transcribe_attempt WHERE job_id = ? AND outcome = 'pressure' ORDER BY number"
    return [row["reason"] for row in panel.rows(query, job_id)]


LOW: dict[str, tuple[Callable[[MemoryGauge], None], Callable[[MemoryGauge], None], str]] = {
    "available": (
        lambda gauge: gauge.set_available(1.9),
        lambda gauge: gauge.set_available(14.5),
        "Ended for want of memory: 1.9 GiB of memory available, limit 2.0 GiB.",
    ),
    "pressure": (
        lambda gauge: gauge.set_pressure(61.0),
        lambda gauge: gauge.set_pressure(0.0),
        "Ended for want of memory: all programs wait for memory 61 % of the time, limit 50 %.",
    ),
}


@pytest.mark.parametrize("what", LOW)
def test_it_is_ended_in_time_and_comes_back(tight: tuple[Panel, MemoryGauge], tmp_path: Path, what: str) -> None:
    panel, gauge = tight
    tighten, ease, reason = LOW[what]
    minutes = 5 if what == "available" else 10  # it has to last until it is ended: pressure must last for that
    audio = joined(tmp_path / "speech.wav", minutes=minutes).path
    job_id = panel.submit(audio, **PLAIN)
    engine = started(panel, job_id)
    until(lambda: decoded_windows(panel, job_id) >= 2, seconds=60, what="two windows are decoded")
    tighten(gauge)
    until(lambda: state_of(engine) == "", seconds=60, what="the engine is gone")
    until(lambda: panel.lock_path.read_text() == "", seconds=15, what="the lock is free")
    ended = "SELECT outcome, reason FROM transcribe_attempt WHERE job_id = ? AND number = 1 AND ended_at IS NOT NULL"
    (first,) = until(lambda: panel.rows(ended, job_id), seconds=15, what="the attempt has ended")
    assert first["outcome"] == "machine_ended"
    assert first["reason"].startswith(reason)
    (left,) = blockings(panel, job_id)[:1]
    assert left.startswith(reason), "the job says why it waits"
    assert "comes back by itself when the gate opens and memory pressure is within its limit" in left
    if what == "available":
        until(lambda: gate_refusals(panel, job_id), seconds=60, what="the gate is asked again, and says no")
        assert all("1.9 GiB" in refusal for refusal in gate_refusals(panel, job_id))
    else:
        until(lambda: waits(panel, job_id), seconds=60, what="it is tried again, and waits for the pressure to ease")
        said = (
            "Waits for memory: all programs wait for memory 61 % of the time, limit 50 %, and an engine would be ended"
        )
        assert all(reason.startswith(said) for reason in waits(panel, job_id))
        assert gate_refusals(panel, job_id) == []
    assert panel.engines() == []
    incidents = "SELECT * FROM gate_incident WHERE kind = 'memory_end' AND host != 'mac-mini-2012'"
    (told,) = until(lambda: panel.rows(incidents), seconds=60, what="it tells of it")
    assert (told["kind"], told["job_ref"]) == ("memory_end", f"job {job_id}")
    if what == "available":
        limits = [(m["value"], m["limit"]) for m in json.loads(told["measures"]) if m["name"] == "available memory"]
        assert limits == [(pytest.approx(1.9 * GIB, rel=1e-3), 2 * GIB)]
    ease(gauge)
    panel.wait_for_job(job_id, "succeeded", seconds=240)
    assert [one for one in outcomes(panel, job_id) if one != "pressure"] == ["machine_ended", "succeeded"]
    undisturbed = panel.submit(audio, **PLAIN)
    panel.wait_for_job(undisturbed, "succeeded", seconds=240)
    assert panel.text(job_id) == panel.text(undisturbed)
    assert decoded_windows(panel, job_id) <= decoded_windows(panel, undisturbed) + 1
