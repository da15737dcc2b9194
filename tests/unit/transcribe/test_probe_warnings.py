"""Headers that lie and files that were cut off: a warning and the real length, never a refusal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.audio_files import beacon, cut_off, encode, write_wav, write_wav_stating
from transcribe.audio.probe import AudioInfo, probe_file


def probe(path: Path) -> AudioInfo:
    return probe_file(path, display_name=path.name)


@pytest.mark.parametrize("data_bytes", [0, 0xFFFFFFFF])
def test_it_measures_a_wav_that_states_no_length(tmp_path: Path, data_bytes: int) -> None:
    info = probe(write_wav_stating(tmp_path / "a.wav", beacon(5, 16000), data_bytes))

    assert info.duration_seconds == 5.0
    assert info.warnings == ("The header states no length; 5.0 s of sound were found.",)


def test_it_says_that_a_header_promises_more_than_there_is(tmp_path: Path) -> None:
    info = probe(write_wav_stating(tmp_path / "a.wav", beacon(5, 16000), 20 * 32000))

    assert info.duration_seconds == 5.0
    assert info.warnings == (
        "The header says 20.0 s, but the file ends after 5.0 s: it was probably cut off. What is there is used.",
    )


def test_it_finds_sound_beyond_the_end_that_the_header_states(tmp_path: Path) -> None:
    info = probe(write_wav_stating(tmp_path / "a.wav", beacon(5, 16000), 32000))

    assert info.duration_seconds == 5.0
    assert info.warnings == ("The header says 1.0 s, but there are 5.0 s. All are used.",)


def test_it_does_not_take_tags_after_the_sound_for_sound(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", beacon(5, 16000))
    path.write_bytes(path.read_bytes() + b"LIST" + (40_000).to_bytes(4, "little") + b"INFO" + bytes(39_996))

    info = probe(path)

    assert (info.duration_seconds, info.warnings) == (5.0, ())


@pytest.mark.parametrize(
    ("name", "codec", "rate", "options"),
    [
        ("a.mp3", "libmp3lame", 44100, {}),
        ("a.m4a", "aac", 44100, {"movflags": "faststart"}),
        ("a.flac", "flac", 44100, {}),
        ("a.mka", "libopus", 48000, {}),
    ],
)
def test_it_measures_a_file_that_was_cut_off(
    tmp_path: Path, name: str, codec: str, rate: int, options: dict[str, str]
) -> None:
    path = cut_off(encode(tmp_path / name, beacon(10, rate), rate, codec, options=options), 0.6)

    info = probe(path)

    assert 4 < info.duration_seconds < 8
    assert info.warnings[0].startswith("The header says 10.0 s, but the file ends after ")


def test_it_measures_an_ogg_that_was_cut_off(tmp_path: Path) -> None:
    path = cut_off(encode(tmp_path / "a.ogg", beacon(10, 48000), 48000, "libopus"), 0.6)

    # Its length stands nowhere but in its last page, so there is nothing to compare with.
    assert 4 < probe(path).duration_seconds < 8


def test_it_does_not_call_a_sound_cut_off_that_ends_before_the_pictures(tmp_path: Path) -> None:
    path = encode(tmp_path / "v.mp4", beacon(3, 44100), 44100, "aac", video="mpeg4", sound_after_seconds=2)

    assert probe(path).warnings == ()


def test_it_counts_on_where_recordings_were_joined(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.ogg", beacon(6, 48000), 48000, "libopus")
    path.write_bytes(path.read_bytes() * 2)

    assert probe(path).duration_seconds == pytest.approx(12.0, abs=0.1)
