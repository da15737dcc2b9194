"""Formats that few people meet are read; what is refused is named; what cannot be mixed down is refused for good."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.support.audio_files import beacon, encode, write_wav
from transcribe.audio.errors import NotAudio, NothingDecodable
from transcribe.audio.prepare import Preparation
from transcribe.audio.probe import probe_file


@pytest.mark.parametrize(
    ("container_format", "codec", "rate"),
    [
        ("mxf_opatom", "pcm_s16le", 48000),
        ("wtv", "mp2", 44100),
        ("rm", "ac3", 44100),
        ("ircam", "pcm_s16le", 16000),
    ],
)
def test_it_reads(tmp_path: Path, container_format: str, codec: str, rate: int) -> None:
    path = encode(tmp_path / "a", beacon(3, rate), rate, codec, container_format=container_format)

    info = probe_file(path, display_name="a")
    prepared = Preparation(path, tmp_path / "out.pcm", display_name="a").wait()

    assert info.duration_seconds == pytest.approx(3, abs=0.3)
    assert prepared.duration_seconds == pytest.approx(info.duration_seconds, abs=0.1)


def test_it_reads_raw_gsm(tmp_path: Path) -> None:
    """Frames of 33 bytes that begin with 0xD (GSM 06.10), here of silence."""
    path = tmp_path / "a.gsm"
    path.write_bytes((b"\xd8\x20\xa2\xe1\x5a" + b"\x50\x00\x49\x24\x92\x49\x24" * 4) * 150)

    assert probe_file(path, display_name="a").duration_seconds == pytest.approx(3.0, abs=0.03)


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(500), "png"), (b"1\n00:00:01,000 --> 00:00:02,000\nhi\n", "srt")],
)
def test_a_refusal_names_the_format(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)

    with pytest.raises(NotAudio, match=f"it looks like {name}"):
        probe_file(path, display_name="a")


def test_more_channels_than_can_be_mixed_are_refused_for_good(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", beacon(1, 8000), 8000, channels=256)

    with pytest.raises(NothingDecodable, match="256 channels") as caught:
        probe_file(path, display_name="a")
    assert caught.value.permanent
    with pytest.raises(NothingDecodable, match="256 channels"):
        Preparation(path, tmp_path / "out.pcm", display_name="a").wait()


def test_a_wav_of_zero_bits_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", beacon(1, 8000), 8000)
    content = bytearray(path.read_bytes())
    content[34:36] = struct.pack("<H", 0)
    path.write_bytes(content)

    with pytest.raises(NothingDecodable, match="a sample size of 0"):
        probe_file(path, display_name="a")
