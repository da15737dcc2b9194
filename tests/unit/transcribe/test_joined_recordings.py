"""Recordings joined byte by byte: all of them are read, at upload and at work, one after the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.audio_files import beacon, encode, join, loud_seconds, read_pcm, write_wav
from transcribe.audio.prepare import Preparation, PreparedAudio
from transcribe.audio.probe import probe_file

FORMATS = [
    ("opus", "libopus", 48000),
    ("oga", "flac", 44100),
    ("ts", "aac", 44100),
    ("mpg", "mp2", 44100),
    ("webm", "libopus", 48000),
    ("mka", "aac", 44100),
    ("m4a", "aac", 44100),
    ("mp3", "libmp3lame", 44100),
    ("aac", "aac", 44100),
    ("flac", "flac", 44100),
    ("wav", "pcm_s16le", 16000),
    ("aiff", "pcm_s16be", 16000),
    ("caf", "pcm_s16le", 16000),
    ("w64", "pcm_s16le", 16000),
    ("voc", "pcm_u8", 16000),
    ("tta", "tta", 16000),
    ("flv", "aac", 44100),
    ("avi", "libmp3lame", 44100),
]


def prepare(path: Path) -> PreparedAudio:
    return Preparation(path, path.with_name("out.pcm"), display_name=path.name).wait()


def part(folder: Path, ending: str, codec: str, rate: int, seconds: float) -> Path:
    return encode(folder / f"{seconds}.{ending}", beacon(seconds, rate), rate, codec)


@pytest.mark.parametrize(("ending", "codec", "rate"), FORMATS)
def test_it_reads_all_parts(tmp_path: Path, ending: str, codec: str, rate: int) -> None:
    short, long = (part(tmp_path, ending, codec, rate, seconds) for seconds in (2, 3))
    path = join(tmp_path / f"joined.{ending}", short, long, short)

    prepared = prepare(path)

    assert prepared.duration_seconds == pytest.approx(7, abs=0.3)
    assert probe_file(path, display_name="a").duration_seconds == pytest.approx(prepared.duration_seconds, abs=0.2)
    assert len(loud_seconds(read_pcm(prepared.pcm_path))) == 7


def test_it_reads_parts_shorter_than_a_second(tmp_path: Path) -> None:
    parts = [part(tmp_path, "opus", "libopus", 48000, seconds) for seconds in (0.8, 0.4)]

    prepared = prepare(join(tmp_path / "joined.opus", *parts, *parts, *parts))

    assert prepared.duration_seconds == pytest.approx(3.6, abs=0.1)


def test_it_tells_where_a_recording_begins(tmp_path: Path) -> None:
    path = part(tmp_path, "opus", "libopus", 48000, 2)

    (stretch,) = prepare(join(tmp_path / "joined.opus", path, path)).broken

    assert stretch.start_seconds == stretch.end_seconds == pytest.approx(2, abs=0.05)
    assert stretch.reason.startswith("another recording begins")


def test_it_says_nothing_about_joined_mp3s(tmp_path: Path) -> None:
    path = part(tmp_path, "mp3", "libmp3lame", 44100, 2)
    joined = join(tmp_path / "joined.mp3", path, path)

    assert prepare(joined).broken == ()
    assert probe_file(joined, display_name="a").warnings == ()


def test_it_joins_parts_of_different_kinds_of_wav(tmp_path: Path) -> None:
    low, high = (
        write_wav(tmp_path / "l.wav", beacon(2, 8000), 8000),
        write_wav(tmp_path / "h.wav", beacon(2, 44100), 44100, 2),
    )

    prepared = prepare(join(tmp_path / "joined.wav", low, high))

    assert prepared.duration_seconds == 4.0
    assert loud_seconds(read_pcm(prepared.pcm_path)) == pytest.approx(range(4), abs=0.03)


def test_it_says_how_many_bytes_after_the_end_were_not_read(tmp_path: Path) -> None:
    whole = part(tmp_path, "m4a", "aac", 44100, 2)
    stranger = part(tmp_path, "mp3", "libmp3lame", 44100, 2)
    path = join(tmp_path / "joined.m4a", whole, stranger)

    note = f"{stranger.stat().st_size} bytes after the end were not read."
    assert probe_file(path, display_name="a").warnings == (note,)
    assert prepare(path).notes == (note,)


def test_it_keeps_every_sample_of_joined_wavs(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", beacon(2, 16000))

    prepared = prepare(join(tmp_path / "joined.wav", path, path))

    sound = (beacon(2, 16000) * 32767).astype("<i2")
    assert np.array_equal(np.fromfile(prepared.pcm_path, "<i2"), np.concatenate([sound, sound]))


def test_it_reads_wavs_that_begin_with_another_chunk(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", beacon(2, 16000)).read_bytes()
    led = wav[:12] + b"junk" + (28).to_bytes(4, "little") + bytes(28) + wav[12:]
    path = tmp_path / "joined.wav"
    path.write_bytes(led + led)

    prepared = Preparation(path, tmp_path / "out.pcm", display_name="a").wait()

    assert probe_file(path, display_name="a").duration_seconds == pytest.approx(4.0, abs=0.1)
    assert prepared.duration_seconds == pytest.approx(4.0, abs=0.1)
