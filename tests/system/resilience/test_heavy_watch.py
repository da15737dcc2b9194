"""The watch from outside counts models: two that run are two; a child that is not yet its own program is none."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import heavy_watch
from tests.support.heavy_watch import HeavyWatch
from tests.support.panel import until

# As torch does while it is imported: subprocess makes its children with vfork.
SPAWNS = """
import subprocess, time
end = time.monotonic() + 60
while time.monotonic() < end:
    subprocess.run(["true"])
"""


@contextmanager
def whisper(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    script = folder / "whisper"
    script.write_text(SPAWNS)
    process = subprocess.Popen([sys.executable, str(script)])
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heavy_watch, "LOOK_SECONDS", 0.0005)


@pytest.mark.usefixtures("quick")
def test_a_child_that_has_its_parents_memory_is_no_second_model(tmp_path: Path) -> None:
    with whisper(tmp_path) as process, HeavyWatch(under=tmp_path) as watch:
        met = 0
        deadline = time.monotonic() + 30
        while met < 3 and time.monotonic() < deadline:
            met += len(tuple(watch.heavy())) > 1
        assert met == 3, "such a child was met, so that it could be counted"
        until(lambda: watch.looks > 200, seconds=30, what="it has looked often")
    assert watch.peak == (process.pid,)


@pytest.mark.usefixtures("quick")
def test_two_that_run_are_two(tmp_path: Path) -> None:
    with whisper(tmp_path) as first, whisper(tmp_path) as second, HeavyWatch(under=tmp_path) as watch:
        until(lambda: len(watch.peak) > 1, seconds=30, what="both were seen in one look")
    assert set(watch.peak) == {first.pid, second.pid}
