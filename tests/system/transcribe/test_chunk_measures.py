"""What of a chunk's time was a pause, and what of its audio an earlier try had read, is kept for the pace."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.support.runs import Control, place_of_runs, run_once, submitted
from tests.support.speech_files import joined
from transcribe.conf import journal_path
from transcribe.held import HeldFor
from transcribe.models import Chunk
from transcribe.slot import EngineSlot
from transcribe.states import ChunkStatus, JobStatus

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("uploads")]

PAUSE_SECONDS = 1.5
WINDOWS_BYTES = 1500  # the header and one or two windows, 700 bytes each


class PausesOnce:
    """The engine stands still for a while as soon as it begins, and is killed when it has kept a window after that."""

    def __init__(self, slot: EngineSlot) -> None:
        self._slot = slot
        self._paused_at: float | None = None
        self._killed = False

    def __call__(self) -> None:
        chunk, engine = Chunk.objects.filter(status=ChunkStatus.RUNNING).first(), self._slot._engine
        if chunk is None or engine is None or self._killed:
            return
        if self._paused_at is None:
            self._paused_at = time.monotonic()
            engine.hold(HeldFor.HEAT_PAUSE)
        elif time.monotonic() - self._paused_at >= PAUSE_SECONDS:
            engine.let_go()
            journal = journal_path(chunk.job_id, chunk.index)
            if journal.exists() and journal.stat().st_size > WINDOWS_BYTES:
                self._killed = True
                engine._process.kill()


def test_a_pause_and_what_was_taken_over(settings: Settings, tmp_path: Path) -> None:
    place_of_runs(settings, tmp_path)
    job, slot = submitted(joined(tmp_path / "long.wav", minutes=3).path), EngineSlot()
    try:
        assert run_once(slot, Control(PausesOnce(slot))) == JobStatus.QUEUED
        chunk = job.chunks.get()
        assert chunk.paused_seconds >= PAUSE_SECONDS
        assert chunk.taken_over_seconds == 0
        assert run_once(slot) == JobStatus.SUCCEEDED
    finally:
        slot.kill()
    chunk.refresh_from_db()
    assert chunk.paused_seconds == 0, "of this try alone"
    assert 10 < chunk.taken_over_seconds < 180
