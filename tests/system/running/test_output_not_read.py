"""A panel whose output nobody reads, or nobody reads any more: the machine is watched all the same."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.hot_machine import Thermometer, hot_panel
from tests.support.panel import Panel, until
from tests.support.pipes import full_pipe, unread_pipe
from tests.system.running.test_heat import PLAIN, recording, started, told, wait_for_state

pytestmark = pytest.mark.usefixtures("namespaces")


def _full() -> tuple[int, Callable[[], None]]:
    read, write = full_pipe()
    return write, lambda: os.close(read)


def _unread() -> tuple[int, Callable[[], None]]:
    return unread_pipe(), lambda: None


@pytest.fixture(params=[_full, _unread], ids=["full", "unread"])
def hot(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Panel, Thermometer]]:
    output, tidy = request.param()
    panel, thermometer = hot_panel(tmp_path, 60.0, J5A_ENGINE_THREADS="1")
    try:
        panel.start(output=output)
        os.close(output)
        yield panel, thermometer
    finally:
        panel.stop()
        tidy()


def samples(panel: Panel) -> int:
    return int(panel.rows("SELECT count(*) FROM gate_sensorsample")[0][0])


def test_it_is_started_watches_starts_anew_and_stops(hot: tuple[Panel, Thermometer], tmp_path: Path) -> None:
    panel, thermometer = hot
    job_id = panel.submit(recording(tmp_path).path, **PLAIN)
    engine = started(panel, job_id)
    (panel.root / "locks" / "heat.json").mkdir()  # so that there is a warning just before the pause
    thermometer.set(82.0)
    wait_for_state(engine, "T", what="paused")
    panel.child("sampler").kill()  # which is told, too
    before = samples(panel)
    until(lambda: samples(panel) > before, seconds=60, what="another sampler samples")
    (served_by,) = panel.child("gunicorn").children()
    served_by.kill()  # the web server tells this, too, before it starts another
    until(panel.answers, seconds=60, what="the pages come again")
    (panel.root / "locks" / "heat.json").rmdir()
    thermometer.set(60.0)
    panel.wait_for_job(job_id, "succeeded", seconds=240)
    until(
        lambda: told(panel) == [("thermal_pause", "resolved")],
        seconds=60,
        what=f"it tells of it: {told(panel)}",
    )
