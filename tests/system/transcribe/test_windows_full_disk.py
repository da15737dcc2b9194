"""A disk that is full: the real thing, a small tmpfs for the journal. The transcription goes on and says the cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.engines import request_for, running_engine
from tests.support.speech_files import SPEECH_DIR, pcm

pytestmark = pytest.mark.usefixtures("namespaces")

MOUNT_AND_RUN = 'mount -t tmpfs -o size=4k t "$1" && shift && exec "$@"'  # one page: the header and some windows


def test_it_goes_on_without_the_journal(tmp_path: Path) -> None:
    recording = tmp_path / "audio.pcm"
    speech = pcm(SPEECH_DIR / "clip_00.flac").astype("<i2").tobytes()
    recording.write_bytes(speech * 8)  # 3.6 minutes; each window keeps about 700 bytes
    disk = tmp_path / "disk"
    disk.mkdir()
    small = ["unshare", "-m", "--propagation", "private", "sh", "-ec", MOUNT_AND_RUN, "sh", str(disk)]
    with running_engine(tmp_path / "engine.log", wrapped_in=small) as engine:
        request = request_for(recording, journal_path=str(disk / "chunk-0.journal"))
        first = engine.transcribe(request)
        assert "The journal cannot be written (No space left on device)." in engine.log()
        assert "windows decoded from here on are decoded again" in engine.log()
        second = engine.transcribe(request)
        plain = engine.transcribe(request_for(recording))
    assert first.replayed_windows == 0
    assert 0 < second.replayed_windows < first.decoded_windows
    assert second.replayed_windows + second.decoded_windows == first.decoded_windows
    for heard in (first, second):
        assert [(s["start"], s["text"]) for s in heard.segments] == [(s["start"], s["text"]) for s in plain.segments]


def test_a_log_that_takes_no_line_costs_no_transcription(tmp_path: Path) -> None:
    """Log and journal lie on one disk: when it is full, that the journal cannot be used cannot be said either."""
    recording = tmp_path / "audio.pcm"
    recording.write_bytes(pcm(SPEECH_DIR / "clip_00.flac").astype("<i2").tobytes())
    full = ["sh", "-c", 'exec "$@" 2>/dev/full', "sh"]
    with running_engine(tmp_path / "engine.log", wrapped_in=full) as engine:
        heard = engine.transcribe(request_for(recording, journal_path=str(tmp_path / "gone" / "chunk-0.journal")))
    assert heard.segments
