"""The gate is asked before the first chunk as well: a machine may have changed while the model was loading."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from gate.models import VerdictRecord
from tests.transcribe.runs import Control, run_once, submitted
from transcribe.slot import EngineSlot
from transcribe.states import ChunkStatus, JobStatus

TOO_MUCH_BYTES = 1 << 60


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("uploads")
def test_a_no_after_loading_begins_no_chunk(slot: EngineSlot, settings: Settings) -> None:
    engines: list[int] = []

    def crowded_from_now_on() -> None:
        if slot._engine is not None:
            engines.append(slot._engine.pid)
            settings.GATE_MARGIN_BYTES = TOO_MUCH_BYTES

    job = submitted()
    assert run_once(slot, Control(crowded_from_now_on)) == JobStatus.BLOCKED
    assert engines, "it was loading when the machine changed"
    job.refresh_from_db()
    assert job.next_try_at is not None
    verdicts = VerdictRecord.objects.order_by("pk").values_list("purpose", "admitted")
    assert list(verdicts) == [("start", True), ("chunk", False)]
    assert [(c.status, c.attempts) for c in job.chunks.all()] == [(ChunkStatus.PENDING, 0)]
    assert slot._engine is None
    assert slot._held is None, "everything is given back"
