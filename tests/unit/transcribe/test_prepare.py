"""Preparation: any file becomes 16 kHz mono PCM of the same length, with every sound where it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.audio_files import (
    beacon,
    encode,
    loud_seconds,
    read_pcm,
    write_placed_wav,
    write_wav,
    write_wav_stating,
)
from transcribe.audio.chunking import Span
from transcribe.audio.prepare import Preparation, PreparedAudio


def prepare(path: Path) -> PreparedAudio:
    return Preparation(path, path.with_name("out.pcm"), display_name=path.name).wait()


def assert_is_beacon(prepared: PreparedAudio, seconds: int, start: int = 0) -> None:
    """Every tone within 30 ms of its second: lossy codecs smear, resamplers ring."""
    heard = loud_seconds(read_pcm(prepared.pcm_path))
    assert heard == pytest.approx(list(range(start, start + seconds)), abs=0.03)


def test_it_keeps_sixteen_kilohertz_mono_as_it_is(tmp_path: Path) -> None:
    sound = beacon(2, 16000)

    prepared = prepare(write_wav(tmp_path / "a.wav", sound))

    assert prepared == PreparedAudio(
        pcm_path=tmp_path / "out.pcm",
        total_samples=32000,
        duration_seconds=2.0,
        spans=(Span(0, 32000),),
        broken=(),
    )
    assert np.array_equal(np.fromfile(prepared.pcm_path, "<i2"), (sound * 32767).astype("<i2"))


@pytest.mark.parametrize(
    ("name", "codec", "rate", "video"),
    [
        ("a.mp3", "libmp3lame", 44100, None),
        ("a.ogg", "libopus", 48000, None),
        ("a.m4a", "aac", 44100, None),
        ("a.flac", "flac", 22050, None),
        ("phone.wav", "pcm_mulaw", 8000, None),
        ("v.mp4", "aac", 44100, "mpeg4"),
        ("v.mkv", "libopus", 48000, "mpeg4"),
        ("v.webm", "libopus", 48000, "libvpx"),
    ],
)
def test_it_decodes_what_people_use(tmp_path: Path, name: str, codec: str, rate: int, video: str | None) -> None:
    prepared = prepare(encode(tmp_path / name, beacon(5, rate), rate, codec, video=video))

    assert prepared.duration_seconds == pytest.approx(5.0, abs=0.06)
    assert prepared.broken == ()
    assert_is_beacon(prepared, 5)


def test_it_decodes_an_mp3_of_variable_bit_rate_without_a_header(tmp_path: Path) -> None:
    path = encode(tmp_path / "v.mp3", beacon(5, 44100), 44100, "libmp3lame", options={"write_xing": "0"})

    # Without the header nobody knows the 26 + 12 ms of encoder delay.
    assert loud_seconds(read_pcm(prepare(path).pcm_path)) == pytest.approx(range(5), abs=0.06)


@pytest.mark.parametrize("data_bytes", [0, 0xFFFFFFFF, 32000, 20 * 32000])
def test_it_decodes_all_of_a_wav_whose_header_lies(tmp_path: Path, data_bytes: int) -> None:
    prepared = prepare(write_wav_stating(tmp_path / "a.wav", beacon(4, 16000), data_bytes))

    assert prepared.duration_seconds == 4.0
    assert_is_beacon(prepared, 4)


def test_it_hears_one_microphone_of_twelve(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "12.wav", beacon(3, 44100), 44100, channels=12, sounding=7)

    sound = read_pcm(prepare(path).pcm_path)

    assert loud_seconds(sound * 12) == pytest.approx(range(3), abs=0.03)
    assert np.abs(sound).max() == pytest.approx(0.3 / 12, rel=0.1)


def test_it_mixes_twelve_placed_channels(tmp_path: Path) -> None:
    path = write_placed_wav(tmp_path / "12.wav", beacon(3, 48000), 48000, channels=12, places=0x2D63F)

    assert_is_beacon(prepare(path), 3)


def test_it_resamples_an_odd_rate(tmp_path: Path) -> None:
    prepared = prepare(write_wav(tmp_path / "odd.wav", beacon(5, 11127), 11127))

    assert prepared.duration_seconds == 5.0
    assert_is_beacon(prepared, 5)


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv"])
def test_it_keeps_the_time_of_sound_that_sets_in_after_the_picture(tmp_path: Path, name: str) -> None:
    path = encode(tmp_path / name, beacon(4, 44100), 44100, "aac", video="mpeg4", sound_after_seconds=3)

    prepared = prepare(path)

    assert_is_beacon(prepared, 4, start=3)
    assert prepared.broken == ()


def test_it_joins_recordings_whose_clock_starts_anew(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.ogg", beacon(6, 48000), 48000, "libopus")
    path.write_bytes(path.read_bytes() * 2)

    prepared = prepare(path)

    assert_is_beacon(prepared, 12)
    assert [stretch.end_seconds - stretch.start_seconds for stretch in prepared.broken] == [0.0]


def test_it_cuts_a_long_recording_in_pauses_and_tiles_it(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "long.wav", beacon(1300, 16000))

    prepared = prepare(path)

    (first, second) = prepared.spans
    assert (first.start_sample, second.end_sample) == (0, 1300 * 16000)
    assert first.end_sample == second.start_sample
    # A pause of the beacon nearest to 600 s: 599.6 to 600.0 or 600.6 to 601.0; its middle.
    assert second.start_seconds in (pytest.approx(599.8, abs=0.02), pytest.approx(600.8, abs=0.02))
