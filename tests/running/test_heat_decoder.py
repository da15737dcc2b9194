"""The audio decoder works beside the loading engine: as low in priority, paused with it, and gone with it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.audio_files import write_hours
from tests.hot_machine import Thermometer, hot_panel, state_of
from tests.panel import Panel, until

pytestmark = pytest.mark.usefixtures("namespaces")


@pytest.fixture
def hot(tmp_path: Path) -> Iterator[tuple[Panel, Thermometer]]:
    panel, thermometer = hot_panel(tmp_path, 60.0, J5A_ENGINE_THREADS="1")
    try:
        yield panel.start(), thermometer
    finally:
        panel.stop()


def decoder(panel: Panel) -> psutil.Process | None:
    for process in panel.family():
        try:
            if "transcribe.audio.prepare_child" in process.cmdline():
                return process
        except psutil.Error:
            continue
    return None


def io_class(thread: int) -> str:
    asked = subprocess.run(["ionice", "-p", str(thread)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert asked.returncode == 0, asked.stderr
    return asked.stdout.strip()


def test_it_is_held_with_the_engine_and_ends_with_it(hot: tuple[Panel, Thermometer], tmp_path: Path) -> None:
    panel, thermometer = hot
    job_id = panel.submit(write_hours(tmp_path / "hours.wav", 3), language="en")
    found = until(lambda: decoder(panel), seconds=60, what="the recording is decoded")
    thermometer.set(82.0)
    seen = {thread.id: (os.getpriority(os.PRIO_PROCESS, thread.id), io_class(thread.id)) for thread in found.threads()}
    oom_score_adj = Path(f"/proc/{found.pid}/oom_score_adj").read_text()
    until(lambda: state_of(found.pid) == "T", seconds=10, what=f"it is paused; it is {state_of(found.pid)!r}")
    (engine,) = panel.engines()
    assert state_of(engine.pid) == "T"
    assert set(seen.values()) == {(10, "idle")}, seen
    assert oom_score_adj == "500\n"

    thermometer.set(74.0)
    until(lambda: state_of(found.pid) not in ("T", ""), seconds=10, what="it goes on with the engine")
    thermometer.set(91.0)
    job = panel.wait_for_job(job_id, "blocked", seconds=30)
    assert "91.0 °C" in job["reason"]
    assert state_of(found.pid) == "", "it is gone before the job says so"
    assert decoder(panel) is None
