"""Several sound tracks: the first that can be read and holds sound is read, and that is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.audio_files import beacon, encode_tracks, loud_seconds, read_pcm
from transcribe.audio.errors import NothingDecodable
from transcribe.audio.prepare import Preparation
from transcribe.audio.probe import probe_file

SILENCE = np.zeros(3 * 44100, np.float32)


def make_unknown(path: Path, count: int) -> Path:
    """Give the last `count` tracks of a mov a coding of the future: their sample entries are renamed."""
    content = bytearray(path.read_bytes())
    for _ in range(count):
        description = content.rindex(b"esds")
        entry = content.index(b"mp4a", content.rindex(b"stsd", 0, description))
        content[entry : entry + 4], content[description : description + 4] = b"apac", b"dapa"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_silent_track_gives_way_to_one_with_sound(tmp_path: Path, ending: str) -> None:
    path = encode_tracks(tmp_path / f"a.{ending}", [SILENCE, beacon(3, 44100)], 44100, "aac")

    prepared = Preparation(path, tmp_path / "out.pcm", display_name="a").wait()

    assert len(loud_seconds(read_pcm(prepared.pcm_path))) == 3
    note = "There are 2 sound tracks; track 2 is used, because the main one is silent."
    assert prepared.notes == probe_file(path, display_name="a").warnings == (note,)


def test_the_main_track_is_used_where_all_sound(tmp_path: Path) -> None:
    path = encode_tracks(tmp_path / "a.mp4", [beacon(3, 44100), beacon(3, 44100)], 44100, "aac")

    assert probe_file(path, display_name="a").warnings == ("There are 2 sound tracks; only the main one is used.",)


def test_a_track_of_an_unknown_coding_gives_way(tmp_path: Path) -> None:
    path = encode_tracks(tmp_path / "a.mov", [beacon(3, 44100), beacon(3, 44100)], 44100, "aac")

    info = probe_file(make_unknown(path, 1), display_name="a")

    assert info.duration_seconds == pytest.approx(3, abs=0.1)
    assert info.warnings == ("There are 2 sound tracks; track 1 is used (apac cannot be read here).",)


def test_only_unknown_codings_are_refused_by_name(tmp_path: Path) -> None:
    path = encode_tracks(tmp_path / "a.mov", [beacon(3, 44100), beacon(3, 44100)], 44100, "aac")

    with pytest.raises(NothingDecodable, match="apac, is not known here") as caught:
        probe_file(make_unknown(path, 2), display_name="a")
    assert caught.value.permanent
