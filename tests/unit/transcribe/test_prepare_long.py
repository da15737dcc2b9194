"""A long recording: cut where it is quiet, tiled without a gap, and never in memory as a whole."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.support.audio_files import TONE_SECONDS, beacon, read_pcm
from tests.support.panel import BASE_DIR
from transcribe.audio.prepare import Preparation, PreparedAudio

MINUTES = 20
RATE = 16_000
LIMIT_BYTES = 200 * 1000**2

# argv: probe or prepare, source, folder. Prints the peak memory of the child it started, and its own. A small
# interpreter starts it, because ru_maxrss of a child begins with the size of the process that forked it.
PROGRAM = """
import json, resource, sys
from pathlib import Path
from transcribe.audio.prepare import Preparation
from transcribe.audio.probe import probe_file
act, source, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
if act == "probe":
    seconds = probe_file(source, display_name="a").duration_seconds
else:
    seconds = Preparation(source, folder / "out.pcm", display_name="a").wait().duration_seconds
child_bytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
own = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
print(json.dumps([seconds, child_bytes, int(own.split()[1]) * 1024]))
"""


def write_stereo_wav(path: Path, minutes: float) -> Path:
    """CD quality; 20 minutes are 212 MB, so that a whole copy of it anywhere would show."""
    second = np.repeat((beacon(1, 44100) * 32767).astype("<i2")[:, None], 2, axis=1).tobytes()
    with wave.open(str(path), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(44100)
        for _ in range(round(minutes * 60)):
            out.writeframes(second)
    return path


@pytest.fixture(scope="module")
def long_wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stereo_wav(tmp_path_factory.mktemp("long") / "long.wav", MINUTES)


@pytest.fixture(scope="module")
def prepared(long_wav: Path, tmp_path_factory: pytest.TempPathFactory) -> PreparedAudio:
    return Preparation(long_wav, tmp_path_factory.mktemp("pcm") / "out.pcm", display_name="long").wait()


def test_the_chunks_tile_the_sound_exactly(prepared: PreparedAudio) -> None:
    assert prepared.total_samples == MINUTES * 60 * RATE
    assert prepared.pcm_path.stat().st_size == 2 * prepared.total_samples
    assert prepared.spans[0].start_sample == 0
    assert prepared.spans[-1].end_sample == prepared.total_samples
    assert [span.end_sample for span in prepared.spans[:-1]] == [span.start_sample for span in prepared.spans[1:]]
    assert len(prepared.spans) == 2


def test_it_cuts_in_a_pause_near_the_mark(prepared: PreparedAudio) -> None:
    cut_seconds = prepared.spans[1].start_seconds
    assert abs(cut_seconds - 600) <= 1
    assert cut_seconds % 1 == pytest.approx((1 + TONE_SECONDS) / 2, abs=0.02)
    around = read_pcm(prepared.pcm_path)[round((cut_seconds - 0.1) * RATE) : round((cut_seconds + 0.1) * RATE)]
    assert np.abs(around).max() < 0.001


def test_fifteen_minutes_are_one_chunk(tmp_path: Path) -> None:
    path = tmp_path / "quarter.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(bytes(2 * 15 * 60 * RATE))
    prepared = Preparation(path, tmp_path / "out.pcm", display_name="quarter").wait()
    assert [(span.start_sample, span.end_sample) for span in prepared.spans] == [(0, 15 * 60 * RATE)]


def peaks_bytes(act: str, source: Path, folder: Path) -> tuple[float, int, int]:
    """Seconds of sound, peak memory of the child and of the process that waited for it."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, act, str(source), str(folder)],
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    seconds, child_bytes, self_bytes = json.loads(done.stdout)
    return seconds, child_bytes, self_bytes


@pytest.mark.parametrize("act", ["probe", "prepare"])
def test_twenty_minutes_take_little_more_memory_than_a_second(act: str, long_wav: Path, tmp_path: Path) -> None:
    short = peaks_bytes(act, write_stereo_wav(tmp_path / "short.wav", 1 / 60), tmp_path)
    long = peaks_bytes(act, long_wav, tmp_path)
    assert (short[0], long[0]) == (1.0, MINUTES * 60)
    for short_bytes, long_bytes in zip(short[1:], long[1:], strict=True):
        assert long_bytes - short_bytes < LIMIT_BYTES / 4
        assert long_bytes < LIMIT_BYTES
