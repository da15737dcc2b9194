"""One engine serves many attempts; each attempt's lines stand in a log of its own."""

from __future__ import annotations

from pathlib import Path

from tests.support.engines import request_for, running_engine
from tests.support.speech_files import SPEECH_DIR, pcm


def test_it_writes_in_the_log_of_the_request_and_no_more_in_the_one_before(tmp_path: Path) -> None:
    recording = tmp_path / "audio.pcm"
    recording.write_bytes(pcm(SPEECH_DIR / "clip_00.flac").astype("<i2").tobytes())
    first, second, nowhere = tmp_path / "first.log", tmp_path / "second.log", tmp_path / "missing" / "third.log"
    with running_engine(tmp_path / "engine.log") as engine:
        for log in (first, second, nowhere):
            journal = tmp_path / "missing" / f"{log.stem}.journal"
            engine.transcribe(request_for(recording, log_path=str(log), journal_path=str(journal)))
        assert "was loaded in" in engine.log()
        assert "Reading" not in engine.log()
    told, then = first.read_text(), second.read_text()
    assert told.count("Reading 0.0 s to") == 1
    assert told.count("first.journal cannot be used") == told.count(".journal cannot be used") == 1
    assert f"The log goes on here, because {nowhere} cannot be opened (No such file or directory)." in then
    assert then.count("Reading 0.0 s to") == 2
    assert then.count("third.journal cannot be used") == 1
