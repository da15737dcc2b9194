"""The cap on the engine's threads: what torch was told is what it uses, and the kernel sees no more of them."""

from __future__ import annotations

import os
from pathlib import Path

from tests.speech_files import SPEECH_DIR, pcm
from tests.transcribe.engines import request_for, running_engine
from transcribe.engine.journal import read_records


def used(tmp_path: Path, cap: int) -> tuple[int, int]:
    """How many threads torch decoded with, by the header of the journal, and how many the process has then."""
    recording, journal = tmp_path / "audio.pcm", tmp_path / f"{cap}.journal"
    recording.write_bytes(pcm(SPEECH_DIR / "clip_00.flac").astype("<i2").tobytes())
    with running_engine(tmp_path / f"{cap}.log", threads=cap) as engine:
        engine.transcribe(request_for(recording, journal_path=str(journal)))
        records, _ = read_records(journal.read_bytes())
        return records[0]["threads"], engine.threads()


def test_the_cap_decides_how_many_threads_decode(tmp_path: Path) -> None:
    one, two = used(tmp_path, 1), used(tmp_path, 2)
    more = min(2, len(os.sched_getaffinity(0))) - 1  # torch takes no more than there are processors
    assert (one[0], two[0]) == (1, 1 + more)
    assert one[1] == 2, "the one that decodes, and the one that reads requests"
    assert two[1] >= one[1] + more
