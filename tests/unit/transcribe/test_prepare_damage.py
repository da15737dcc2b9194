"""Preparation of damaged files: what is lost becomes silence of the same length, and is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.audio_files import beacon, cut_off, damage, encode, garbage, loud_seconds, read_pcm
from transcribe.audio.errors import AudioError, NothingDecodable
from transcribe.audio.prepare import Preparation, PreparedAudio


def prepare(path: Path) -> PreparedAudio:
    return Preparation(path, path.with_name("out.pcm"), display_name=path.name).wait()


# Constant bit rate where the format has no clock of its own: there the lost time is reckoned from the lost bytes.
# Matroska finds its place again at its next cluster only (the writer begins one every 5 s unless told).
@pytest.mark.parametrize("filling", ["garbage", "zeros"])
@pytest.mark.parametrize(
    ("name", "codec", "rate", "bit_rate", "tolerance_seconds", "options"),
    [
        ("a.mp3", "libmp3lame", 44100, 64000, 0.1, {}),
        ("a.ogg", "libopus", 48000, 32000, 0.03, {}),
        ("a.m4a", "aac", 44100, 64000, 0.03, {}),
        ("a.flac", "flac", 44100, None, 0.03, {}),
        ("a.mka", "libopus", 48000, 32000, 0.03, {"cluster_time_limit": "1000"}),
    ],
)
def test_it_keeps_the_time_after_a_broken_stretch(
    tmp_path: Path,
    name: str,
    codec: str,
    rate: int,
    bit_rate: int | None,
    tolerance_seconds: float,
    options: dict[str, str],
    filling: str,
) -> None:
    path = encode(tmp_path / name, beacon(30, rate), rate, codec, bit_rate=bit_rate, options=options)
    prepared = prepare(damage(path, 0.45, 0.1, filling))

    heard = loud_seconds(read_pcm(prepared.pcm_path))
    assert prepared.duration_seconds == pytest.approx(30, abs=0.1)
    for before_or_after in [*range(12), *range(19, 30)]:
        assert any(at == pytest.approx(before_or_after, abs=tolerance_seconds) for at in heard), before_or_after


@pytest.mark.parametrize(("name", "codec", "rate"), [("a.mp3", "libmp3lame", 44100), ("a.ogg", "libopus", 48000)])
def test_it_reports_the_broken_stretch_with_a_reason(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    path = encode(tmp_path / name, beacon(30, rate), rate, codec, bit_rate=64000)
    prepared = prepare(damage(path, 0.45, 0.1, "zeros"))

    (stretch,) = prepared.broken
    assert stretch.start_seconds == pytest.approx(13.5, abs=1.5)
    assert stretch.end_seconds == pytest.approx(16.5, abs=1.5)
    assert stretch.reason
    start, end = round(stretch.start_seconds * 16000), round(stretch.end_seconds * 16000)
    assert not read_pcm(prepared.pcm_path)[start + 800 : end - 800].any()


def test_it_fills_a_broken_end(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.m4a", beacon(10, 44100), 44100, "aac", options={"movflags": "faststart"})
    prepared = prepare(damage(path, 0.7, 0.3, "zeros"))

    assert prepared.duration_seconds == pytest.approx(10, abs=0.06)
    assert prepared.broken[-1].end_seconds == pytest.approx(10, abs=0.06)


@pytest.mark.parametrize(
    ("name", "codec", "options"), [("a.mp3", "libmp3lame", {}), ("a.mp4", "aac", {"movflags": "faststart"})]
)
def test_it_uses_what_is_there_of_a_file_that_was_cut_off(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    path = cut_off(encode(tmp_path / name, beacon(10, 44100), 44100, codec, options=options), 0.6)

    prepared = prepare(path)

    assert 4 < prepared.duration_seconds < 8
    assert loud_seconds(read_pcm(prepared.pcm_path))[:4] == pytest.approx(range(4), abs=0.03)


def test_it_fails_when_nothing_can_be_decoded(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.m4a", beacon(5, 44100), 44100, "aac")
    content = bytearray(path.read_bytes())
    start, end = content.index(b"mdat") + 4, content.rindex(b"moov") - 4
    content[start:end] = bytes(end - start)
    path.write_bytes(content)

    with pytest.raises(NothingDecodable, match=r"^talk: there is a sound track"):
        Preparation(path, tmp_path / "out.pcm", display_name="talk").wait()
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.m4a"]


def test_it_survives_garbage_of_every_kind_at_once(tmp_path: Path) -> None:
    for seed in range(5):
        path = tmp_path / f"{seed}.mp3"
        path.write_bytes(garbage(50_000, seed))
        try:
            prepare(path)
        except AudioError as error:
            assert "without a result" not in str(error)
