"""Tags between and behind the frames of an mp3 take no time and no word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.audio_files import ape_tag, beacon, encode, id3v1, id3v2, loud_seconds, lyrics3, read_pcm
from transcribe.audio.prepare import Preparation
from transcribe.audio.probe import probe_file

COVER_BYTES = 200_000
TAG = id3v2(COVER_BYTES)


@pytest.mark.parametrize(
    ("tagged", "seconds"),
    [
        (lambda sound: TAG + sound + TAG + sound, 6),
        (lambda sound: sound + TAG + id3v1(), 3),
        (lambda sound: sound + id3v1() + sound + id3v1(), 6),
        (lambda sound: TAG + sound + ape_tag(COVER_BYTES, with_header=True) + id3v1(), 3),
        (lambda sound: sound + ape_tag(COVER_BYTES, with_header=False) + sound, 6),
        (lambda sound: sound + lyrics3() + id3v1() + TAG + sound, 6),
        (lambda sound: TAG + TAG + sound, 3),
    ],
)
def test_they_take_no_time(tmp_path: Path, tagged: Callable[[bytes], bytes], seconds: int) -> None:
    path = encode(
        tmp_path / "a.mp3", beacon(3, 44100), 44100, "libmp3lame", options={"write_id3v1": "0", "id3v2_version": "0"}
    )
    path.write_bytes(tagged(path.read_bytes()))

    info = probe_file(path, display_name="a")
    prepared = Preparation(path, tmp_path / "out.pcm", display_name="a").wait()

    assert prepared.duration_seconds == pytest.approx(seconds, abs=0.15)
    assert info.duration_seconds == pytest.approx(prepared.duration_seconds, abs=0.1)
    assert (info.warnings, prepared.broken, prepared.notes) == ((), (), ())
    assert len(loud_seconds(read_pcm(prepared.pcm_path))) == seconds


def test_they_take_no_time_between_frames_of_aac(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.aac", beacon(3, 44100), 44100, "aac")
    path.write_bytes(TAG + path.read_bytes() + TAG + path.read_bytes())

    prepared = Preparation(path, tmp_path / "out.pcm", display_name="a").wait()

    assert prepared.duration_seconds == pytest.approx(6, abs=0.15)
    assert prepared.broken == ()
