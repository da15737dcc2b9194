"""Our spectrogram in pieces is whisper's, to the last bit; its memory is not."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# In a process of its own: importing torch into the suite's would stay there.
PROGRAM = """
import json, resource, sys
import numpy, torch
from whisper.audio import log_mel_spectrogram as whole
from transcribe.engine.spectrogram import log_mel_spectrogram as pieces

which, samples, n_mels = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
audio = numpy.random.default_rng(0).standard_normal(samples).astype(numpy.float32) * numpy.float32(0.1)
pieces(audio[:16000], n_mels, padding=480_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
ours = pieces(audio, n_mels, padding=480_000)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
theirs = whole(audio, n_mels, padding=480_000) if which == "both" else ours
print(json.dumps({"equal": bool(torch.equal(ours, theirs)), "shape": list(ours.shape), "grown_kib": after - before}))
"""


def run(which: str, samples: int, n_mels: int = 80) -> dict[str, object]:
    command = [sys.executable, "-c", PROGRAM, which, str(samples), str(n_mels)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize(("samples", "n_mels"), [(1, 80), (12_345, 80), (480_000, 128), (16_000 * 75 + 161, 80)])
def test_it_is_whispers_own(samples: int, n_mels: int) -> None:
    answer = run("both", samples, n_mels)
    assert answer["equal"] is True
    assert answer["shape"] == [n_mels, (samples + 480_000) // 160]


def test_fifteen_minutes_take_little_memory() -> None:
    """Samples padded twice (2 × 58 MB) and the result (30 MB); the whole transform would take 400 MB."""
    grown_kib = run("ours", 16_000 * 900)["grown_kib"]
    assert isinstance(grown_kib, int)
    assert grown_kib < 200 * 1024
