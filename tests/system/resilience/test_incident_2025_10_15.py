"""The two moments at which the machine froze: four launches at once, then two. Here at most one is heavy at a time.

10:37:54: the panel, the command line, a shell script with the gate, and a Whisper that a person started by hand.
11:37:37: the panel and the command line. What asks the gate is started within one moment; what asks nobody comes first.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.heavy_watch import HeavyWatch
from tests.support.panel import BASE_DIR, PATIENCE, Panel, until
from tests.support.speech_files import joined, sample
from tools.demo_model.scoring import word_error_rate

# A person's own Whisper, outside of every gate: openai-whisper itself, which reads the samples of a wav.
WHISPER = """
import sys, wave
import numpy as np
import whisper
with wave.open(sys.argv[1], "rb") as sound:
    audio = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.float32) / 32768
model = whisper.load_model({model!r})
print(whisper.transcribe(model, audio, language="en", fp16=False)["text"])
"""
SCRIPT = """
source {face}
until acquire_whisper_lock demo; do sleep 0.5; done
"$J5A_PYTHON" {whisper} {audio} > {text}
release_whisper_lock
"""


class Launches:
    """What a person starts at one moment; every one is waited for, and ended in any case."""

    def __init__(self, panel: Panel, folder: Path) -> None:
        self.panel, self.folder = panel, folder
        self.whisper = folder / "whisper"
        self.whisper.write_text(WHISPER.format(model=str(BASE_DIR / "transcribe" / "demo" / "demo.pt")))
        self.env = {**panel.env, "J5A_PYTHON": sys.executable, "OMP_NUM_THREADS": "1"}
        self.started: list[subprocess.Popen[bytes]] = []

    def by_hand(self, audio: Path, text: Path) -> subprocess.Popen[bytes]:
        with text.open("wb") as out:
            return self._start([sys.executable, str(self.whisper), str(audio)], out.fileno())

    def by_script(self, audio: Path, text: Path) -> subprocess.Popen[bytes]:
        face = BASE_DIR / "ops" / "resource_safety_gate.sh"
        script = SCRIPT.format(face=face, whisper=self.whisper, audio=audio, text=text)
        return self._start(["bash", "-euo", "pipefail", "-c", script])

    def by_command(self, audio: Path) -> subprocess.Popen[bytes]:
        words = ["--model", "demo", "--language", "en", "--output_dir", str(self.folder), "--output_format", "txt"]
        return self._start([sys.executable, "manage.py", "transcribe", str(audio), *words])

    def by_panel(self, audio: Path, number: Path) -> subprocess.Popen[bytes]:
        """`number`: where the job's number is written."""
        with number.open("wb") as out:
            return self._start([sys.executable, "-m", "tests.support.submit", str(audio)], out.fileno())

    def wait(self) -> None:
        for process in self.started:
            assert process.wait(240 * PATIENCE) == 0, process.args

    def end(self) -> None:
        for process in self.started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _start(self, command: list[str], out: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command, cwd=BASE_DIR, env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        self.started.append(process)
        return process


@pytest.fixture
def launches(make_panel: Callable[..., Panel], tmp_path: Path) -> Iterator[Launches]:
    made = Launches(make_panel(J5A_MARGIN_GIB="0.5"), tmp_path)
    yield made
    made.end()


def test_four_launches_then_two_are_read_one_after_another(launches: Launches, tmp_path: Path) -> None:
    panel = launches.panel
    long = joined(tmp_path / "long.wav", minutes=2)
    files = {name: joined(tmp_path / f"{name}.wav", minutes=1) for name in ("command", "script", "late")}
    with HeavyWatch(under=tmp_path) as watch:
        # The one by hand asks nobody, so it is first; the others, at the same moment, find it.
        launches.by_hand(long.path, tmp_path / "hand.txt")
        until(lambda: list(watch.heavy()), seconds=30, what="the Whisper that was started by hand works")
        launches.by_script(files["script"].path, tmp_path / "script.txt")
        launches.by_command(files["command"].path)
        launches.by_panel(long.path, tmp_path / "first.id")
        launches.wait()
        first = int((tmp_path / "first.id").read_text())
        panel.wait_for_job(first, "succeeded", seconds=120)
        launches.by_command(files["late"].path)
        launches.by_panel(sample().path, tmp_path / "second.id")
        launches.wait()
        second = int((tmp_path / "second.id").read_text())
        panel.wait_for_job(second, "succeeded", seconds=120)
    assert watch.looks > 100
    assert len(watch.peak) == 1, watch.peak
    assert len(watch.seen) >= 5, "by hand, by script, two by command, and the panel's"
    _assert_read(panel, first, second, tmp_path)


def _assert_read(panel: Panel, first: int, second: int, folder: Path) -> None:
    said = {
        "hand": (folder / "hand.txt").read_text(),
        "script": (folder / "script.txt").read_text(),
        "command": (folder / "command.txt").read_text(),
        "late": (folder / "late.txt").read_text(),
        "first": panel.text(first),
        "second": panel.text(second),
    }
    one, two = joined(folder / "one.wav", minutes=1).text, joined(folder / "two.wav", minutes=2).text
    heard = {"hand": two, "script": one, "command": one, "late": one, "first": two, "second": sample().text}
    rates = {name: word_error_rate(heard[name], text) for name, text in said.items()}
    assert all(rate <= 0.05 for rate in rates.values()), rates
