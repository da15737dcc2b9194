"""What a plain mean of channels or 16 bit would lose: channels that cancel, sound that is very quiet."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.audio_files import beacon, loud_seconds, read_pcm, write_wav
from transcribe.audio.prepare import Preparation, PreparedAudio

CANCELLING = "The channels cancel each other out: where they do, only the loudest one is used."


def prepare(path: Path) -> PreparedAudio:
    return Preparation(path, path.with_name("out.pcm"), display_name=path.name).wait()


def write_channels(path: Path, channels: list[NDArray[np.float32]]) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(len(channels))
        out.setsampwidth(2)
        out.setframerate(16000)
        out.writeframes((np.stack(channels, axis=1) * 32767).astype("<i2").tobytes())
    return path


def write_fine(path: Path, sound: NDArray[np.float32], codec: str, sample_format: str) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=16000, layout="mono", format=sample_format)
        values = (sound.astype(np.float64) * 2**31).astype(np.int32) if sample_format == "s32" else sound
        for start in range(0, len(sound), 1024):
            frame = av.AudioFrame.from_ndarray(values[None, start : start + 1024], format=sample_format, layout="mono")
            frame.sample_rate = 16000
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("second", [-1.0, -0.9, -0.75])
def test_channels_that_cancel_are_heard(tmp_path: Path, second: float) -> None:
    sound = beacon(4, 16000)

    prepared = prepare(write_channels(tmp_path / "a.wav", [sound, second * sound]))

    assert loud_seconds(read_pcm(prepared.pcm_path)) == pytest.approx(range(4), abs=0.03)
    assert np.abs(read_pcm(prepared.pcm_path)).max() == pytest.approx(0.3, abs=0.02)
    assert prepared.notes == (CANCELLING,)


def test_channels_that_cancel_later_are_heard(tmp_path: Path) -> None:
    sound = beacon(60, 16000)
    other = np.where(np.arange(len(sound)) < 40 * 16000, sound, -sound)

    prepared = prepare(write_channels(tmp_path / "a.wav", [sound, other]))

    assert loud_seconds(read_pcm(prepared.pcm_path)) == pytest.approx(range(60), abs=0.03)


@pytest.mark.parametrize("other", ["same", "silent", "unlike"])
def test_ordinary_channels_are_mixed_as_ever(tmp_path: Path, other: str) -> None:
    sound = beacon(4, 16000)
    second = {"same": sound, "silent": np.zeros_like(sound), "unlike": np.roll(sound, 5000)}[other]

    prepared = prepare(write_channels(tmp_path / "a.wav", [sound, second]))

    assert prepared.notes == ()
    assert read_pcm(prepared.pcm_path) == pytest.approx((sound + second) / 2, abs=2 / 32768)


@pytest.mark.parametrize(("name", "codec", "kind"), [("a.wav", "pcm_s24le", "s32"), ("a.wav", "pcm_f32le", "flt")])
def test_very_quiet_sound_is_raised(tmp_path: Path, name: str, codec: str, kind: str) -> None:
    quiet = beacon(4, 16000) * np.float32(10 ** (-75 / 20))

    prepared = prepare(write_fine(tmp_path / name, quiet, codec, kind))

    sound = read_pcm(prepared.pcm_path)
    assert np.abs(sound).max() == pytest.approx(10 ** (-12 / 20), rel=0.05)
    assert loud_seconds(sound) == pytest.approx(range(4), abs=0.03)
    (note,) = prepared.notes
    assert note == "The sound is very quiet: it was raised by 73 dB."


def test_sound_that_is_only_soft_stays_as_it_is(tmp_path: Path) -> None:
    soft = beacon(2, 16000) * np.float32(10 ** (-35 / 20))

    prepared = prepare(write_fine(tmp_path / "a.wav", soft, "pcm_f32le", "flt"))

    assert prepared.notes == ()
    assert read_pcm(prepared.pcm_path) == pytest.approx(soft, abs=1 / 32768)


def test_silence_is_not_raised(tmp_path: Path) -> None:
    prepared = prepare(write_wav(tmp_path / "a.wav", np.zeros(32000, np.float32)))

    assert prepared.notes == ()
    assert not read_pcm(prepared.pcm_path).any()
