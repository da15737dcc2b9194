"""A long silence at the start is not given to the model, which would make up text for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.support.engines import request_for, running_engine
from tests.support.speech_files import SPEECH_DIR, pcm


def test_it_reads_what_follows_the_silence_at_its_true_time(tmp_path: Path) -> None:
    speech, silence = pcm(SPEECH_DIR / "clip_00.flac"), np.zeros(31 * 16_000, np.int16)
    alone, late, nothing = tmp_path / "alone.pcm", tmp_path / "late.pcm", tmp_path / "nothing.pcm"
    for path, sound in [(alone, speech), (late, np.concatenate([silence, speech])), (nothing, silence)]:
        path.write_bytes(sound.astype("<i2").tobytes())
    with running_engine(tmp_path / "engine.log") as engine:
        first, second = engine.transcribe(request_for(alone)), engine.transcribe(request_for(late))
        assert second.decoded_windows == 1
        assert np.isclose(engine.last.done_seconds, late.stat().st_size / 32_000, atol=0.01)
        third = engine.transcribe(request_for(nothing))
    begins = [segment["start"] for segment in first.segments]
    assert [segment["text"] for segment in second.segments] == [segment["text"] for segment in first.segments]
    assert np.allclose([segment["start"] for segment in second.segments], [31 + begin for begin in begins], atol=0.5)
    assert (third.segments, third.decoded_windows) == ([], 0)
