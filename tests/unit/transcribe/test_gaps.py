"""Gaps in a file's clock: filled where something confirms them, followed straight on otherwise, noted either way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.audio_files import beacon, encode, encode_tracks, loud_seconds, read_pcm, without_packets
from transcribe.audio.prepare import Preparation, PreparedAudio
from transcribe.audio.probe import probe_file

TS_PACKET_BYTES = 188


def prepare(path: Path) -> PreparedAudio:
    """Prepared, and of the length told at upload."""
    prepared = Preparation(path, path.with_name("out.pcm"), display_name=path.name).wait()
    told_seconds = probe_file(path, display_name="a").duration_seconds
    assert told_seconds == pytest.approx(prepared.duration_seconds, abs=0.1)
    return prepared


@pytest.mark.parametrize("ending", ["webm", "mka"])
def test_pauses_that_were_not_sent_are_filled(tmp_path: Path, ending: str) -> None:
    prepared = prepare(without_pauses(tmp_path, ending))

    assert loud_seconds(read_pcm(prepared.pcm_path)) == pytest.approx(range(20), abs=0.04)
    assert len(prepared.broken) == 16


def test_pauses_that_were_not_sent_are_filled_in_ogg(tmp_path: Path) -> None:
    """Ogg states times for pages of about a second: where in them the gap lies is not to be known."""
    prepared = prepare(without_pauses(tmp_path, "opus"))

    assert prepared.duration_seconds == pytest.approx(20, abs=0.1)
    assert loud_seconds(read_pcm(prepared.pcm_path))[-1] == pytest.approx(19, abs=0.04)


def without_pauses(folder: Path, ending: str) -> Path:
    whole = encode(folder / "whole.mka", beacon(20, 48000), 48000, "libopus")
    return without_packets(whole, folder / f"a.{ending}", lambda at: 0.65 <= at % 1 < 0.95 and 2 < at < 18)


def test_a_long_pause_is_filled(tmp_path: Path) -> None:
    whole = encode(tmp_path / "whole.mka", beacon(60, 48000), 48000, "libopus")
    path = without_packets(whole, tmp_path / "a.webm", lambda at: 10 <= at < 50)

    assert prepare(path).duration_seconds == pytest.approx(60, abs=0.1)


def cut(path: Path, start_share: float, end_share: float, filling: bytes = b"") -> Path:
    content = path.read_bytes()
    packets = len(content) // TS_PACKET_BYTES
    start, end = (int(packets * share) * TS_PACKET_BYTES for share in (start_share, end_share))
    path.write_bytes(content[:start] + filling * (end - start) + content[end:])
    return path


def test_what_was_cut_out_of_a_broadcast_is_not_filled(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.ts", beacon(60, 44100), 44100, "aac")

    prepared = prepare(cut(path, 0.2, 0.8))

    assert 20 < prepared.duration_seconds < 28
    (stretch,) = [stretch for stretch in prepared.broken if stretch.reason.startswith("the file's clock jumps")]
    assert stretch.start_seconds == stretch.end_seconds


def test_what_was_damaged_in_a_broadcast_is_filled(tmp_path: Path) -> None:
    path = cut(encode(tmp_path / "a.ts", beacon(60, 44100), 44100, "aac"), 0.2, 0.8, b"\0")

    assert prepare(path).duration_seconds == pytest.approx(60, abs=0.1)


@pytest.mark.parametrize(("ending", "video_seconds"), [("mp4", 2), ("mkv", 2), ("ts", 1900)])
def test_sound_that_sets_in_late_keeps_its_time(tmp_path: Path, ending: str, video_seconds: int) -> None:
    path = tmp_path / f"a.{ending}"
    encode_tracks(path, [beacon(3, 44100)], 44100, "aac", late_seconds=1900, video_seconds=video_seconds)

    prepared = prepare(path)

    assert prepared.duration_seconds == pytest.approx(1903, abs=0.3)
    assert loud_seconds(read_pcm(prepared.pcm_path)) == pytest.approx([1900, 1901, 1902], abs=0.2)
    assert prepared.broken == ()
