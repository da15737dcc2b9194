"""A recording that is not the one that was uploaded is not read under its name."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.support.audio_files import beacon, write_wav
from transcribe.audio.errors import RecordingChanged
from transcribe.audio.prepare import Preparation


def test_it_refuses_another_recording(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", beacon(1, 16000))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    write_wav(path, beacon(2, 16000))

    with pytest.raises(RecordingChanged, match="not the one that was uploaded") as caught:
        Preparation(path, tmp_path / "out.pcm", display_name="a", sha256=sha256).wait()
    assert caught.value.permanent
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.wav"]


def test_it_reads_the_recording_that_was_uploaded(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", beacon(1, 16000))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()

    assert Preparation(path, tmp_path / "out.pcm", display_name="a", sha256=sha256).wait().duration_seconds == 1.0
