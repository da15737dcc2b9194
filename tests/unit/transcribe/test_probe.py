"""What a probe says about good files: the real length, the kind of sound."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.audio_files import beacon, encode, write_placed_wav, write_wav
from transcribe.audio.probe import AudioInfo, probe_file


def probe(path: Path) -> AudioInfo:
    return probe_file(path, display_name=path.name)


def test_it_reads_a_wav(tmp_path: Path) -> None:
    info = probe(write_wav(tmp_path / "a.wav", beacon(3, 16000)))

    assert info == AudioInfo(
        duration_seconds=3.0,
        codec="pcm_s16le",
        container="wav",
        sample_rate=16000,
        channels=1,
        has_video=False,
        warnings=(),
    )


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("a.mp3", "libmp3lame", 44100),
        ("a.ogg", "libopus", 48000),
        ("a.opus", "libopus", 48000),
        ("a.m4a", "aac", 44100),
        ("a.flac", "flac", 22050),
        ("a.mka", "flac", 48000),
        ("a.aac", "aac", 44100),
    ],
)
def test_it_measures_the_length_of_what_people_use(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    info = probe(encode(tmp_path / name, beacon(3, rate), rate, codec))

    assert info.duration_seconds == pytest.approx(3.0, abs=0.06)
    assert (info.sample_rate, info.channels, info.has_video, info.warnings) == (rate, 1, False, ())


@pytest.mark.parametrize(
    ("name", "codec", "video"),
    [("v.mp4", "aac", "mpeg4"), ("v.mkv", "libopus", "mpeg4"), ("v.webm", "libopus", "libvpx")],
)
def test_it_reads_the_sound_of_a_video(tmp_path: Path, name: str, codec: str, video: str) -> None:
    info = probe(encode(tmp_path / name, beacon(3, 48000), 48000, codec, video=video))

    assert info.duration_seconds == pytest.approx(3.0, abs=0.06)
    assert info.has_video
    assert info.warnings == ()


def test_it_measures_an_mp3_of_variable_bit_rate_without_a_header(tmp_path: Path) -> None:
    path = encode(tmp_path / "v.mp3", beacon(6, 44100), 44100, "libmp3lame", options={"write_xing": "0"})

    assert probe(path).duration_seconds == pytest.approx(6.0, abs=0.06)


def test_it_reads_eight_kilohertz_mu_law(tmp_path: Path) -> None:
    info = probe(encode(tmp_path / "phone.wav", beacon(3, 8000), 8000, "pcm_mulaw"))

    assert (info.duration_seconds, info.codec, info.sample_rate) == (3.0, "pcm_mulaw", 8000)


def test_it_reads_twelve_channels_without_places(tmp_path: Path) -> None:
    info = probe(write_wav(tmp_path / "12.wav", beacon(2, 44100), 44100, channels=12))

    assert (info.duration_seconds, info.channels) == (2.0, 12)


def test_it_reads_twelve_placed_channels(tmp_path: Path) -> None:
    # 7.1 and four above: the first twelve bits that stand for loudspeakers of 7.1.4.
    path = write_placed_wav(tmp_path / "12.wav", beacon(2, 48000), 48000, channels=12, places=0x2D63F)

    info = probe(path)

    assert (info.duration_seconds, info.channels) == (2.0, 12)


def test_it_reads_an_odd_rate(tmp_path: Path) -> None:
    info = probe(write_wav(tmp_path / "odd.wav", beacon(2, 11127), 11127))

    assert (info.duration_seconds, info.sample_rate) == (2.0, 11127)


def test_it_needs_no_ending_in_the_name(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp3", beacon(3, 44100), 44100, "libmp3lame").rename(tmp_path / "0a1b2c")

    assert probe(path).container == "mp3"


def test_it_takes_a_name_that_looks_like_a_url_or_an_option(tmp_path: Path) -> None:
    folder = tmp_path / "http:"
    folder.mkdir()
    path = write_wav(folder / "-i concat:a|b %03d.wav", beacon(1, 16000))

    assert probe(path).duration_seconds == 1.0
