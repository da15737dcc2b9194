"""A span of prepared sound, as the engine gets it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from transcribe.audio.pcm import read_span

SAMPLES = np.array([0, 1, -1, 16384, -32768, 32767], dtype="<i2")


@pytest.fixture
def pcm(tmp_path: Path) -> Path:
    SAMPLES.tofile(tmp_path / "a.pcm")
    return tmp_path / "a.pcm"


def test_it_reads_samples_on_whispers_scale(pcm: Path) -> None:
    sound = read_span(pcm, 0, 6)
    assert sound.dtype == np.float32
    assert np.array_equal(sound, SAMPLES.astype(np.float32) / 32768.0)


@pytest.mark.parametrize(("start", "end"), [(0, 0), (0, 1), (2, 5), (5, 6), (6, 6)])
def test_it_reads_exactly_the_span(pcm: Path, start: int, end: int) -> None:
    assert np.array_equal(read_span(pcm, start, end) * 32768, SAMPLES[start:end])


@pytest.mark.parametrize(("start", "end"), [(0, 7), (6, 7), (100, 101)])
def test_a_file_that_is_too_short_is_no_silence(pcm: Path, start: int, end: int) -> None:
    with pytest.raises(ValueError, match=r"a\.pcm holds"):
        read_span(pcm, start, end)


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (3, 2)])
def test_it_refuses_what_is_no_span(pcm: Path, start: int, end: int) -> None:
    with pytest.raises(ValueError, match="not a span"):
        read_span(pcm, start, end)


def test_it_reads_what_was_prepared_as_whisper_would_load_it(tmp_path: Path) -> None:
    """The same samples in, the same transcript out: whisper's own loader needs ffmpeg, its arithmetic does not."""
    noise = np.random.default_rng(1).integers(-32768, 32767, 1000).astype("<i2")
    noise.tofile(tmp_path / "noise.pcm")
    as_whisper = np.frombuffer(noise.tobytes(), np.int16).flatten().astype(np.float32) / 32768.0
    assert np.array_equal(read_span(tmp_path / "noise.pcm", 0, 1000), as_whisper)
