"""Headers and clocks that look wrong and are not: no claim without proof."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.support.audio_files import beacon, encode, encode_tracks, write_wav, write_wav_stating
from transcribe.audio.probe import AudioInfo, probe_file


def probe(path: Path) -> AudioInfo:
    return probe_file(path, display_name=path.name)


@pytest.mark.parametrize("data_bytes", [0x7FFFFFFF, 0x7FFFF000, 0x80000000, 0xFFFFFFDB])
def test_a_program_that_writes_to_a_pipe_states_no_length(tmp_path: Path, data_bytes: int) -> None:
    info = probe(write_wav_stating(tmp_path / "a.wav", beacon(4, 16000), data_bytes))

    assert info.duration_seconds == 4.0
    assert info.warnings == ("The header states no length; 4.0 s of sound were found.",)


def test_a_wrong_rate_of_bytes_is_no_wrong_length(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", beacon(4, 16000))
    content = bytearray(path.read_bytes())
    content[28:32] = struct.pack("<I", 16000)
    path.write_bytes(content)

    assert (probe(path).duration_seconds, probe(path).warnings) == (4.0, ())


@pytest.mark.parametrize("codec", ["adpcm_ima_wav", "adpcm_ms", "pcm_mulaw"])
def test_a_compressed_wav_states_its_length_right(tmp_path: Path, codec: str) -> None:
    assert probe(encode(tmp_path / "a.wav", beacon(4, 16000), 16000, codec)).warnings == ()


@pytest.mark.parametrize(
    ("ending", "codec"),
    [
        ("webm", "libopus"),
        ("mka", "libopus"),
        ("opus", "libopus"),
        ("m4a", "aac"),
        ("mp4", "aac"),
        ("ts", "aac"),
        ("flv", "aac"),
    ],
)
def test_a_clock_that_does_not_start_at_zero_is_no_damage(tmp_path: Path, ending: str, codec: str) -> None:
    rate = 48000 if codec == "libopus" else 44100
    path = encode_tracks(tmp_path / f"a.{ending}", [beacon(4, rate)], rate, codec, late_seconds=7)

    info = probe(path)

    assert info.duration_seconds == pytest.approx(4, abs=0.1)
    assert info.warnings == ()
