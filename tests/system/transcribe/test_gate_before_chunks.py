"""Between loading and the first chunk: the gate is asked again, and an engine that has ended is told."""

from __future__ import annotations

import os
import signal

import pytest
from pytest_django import Settings

from gate.models import VerdictRecord
from tests.support.runs import Control, run_once, submitted
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


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("uploads")
@pytest.mark.parametrize(
    ("by_the_watch", "status", "outcome", "exit_code"),
    [(False, JobStatus.QUEUED, "engine_lost", -9), (True, JobStatus.BLOCKED, "machine_ended", None)],
)
def test_an_engine_that_ends_before_its_first_chunk_is_told(
    slot: EngineSlot, by_the_watch: bool, status: JobStatus, outcome: str, exit_code: int | None
) -> None:
    ended: list[int] = []

    def ends_once() -> None:
        if slot._loaded is not None and slot._engine is not None and not ended:
            ended.append(slot._engine.pid)
            if by_the_watch:
                slot._engine.end_for_machine("Ended for want of memory: 1.0 GiB of memory available, limit 2.0 GiB.")
            else:
                os.kill(slot._engine.pid, signal.SIGKILL)

    job = submitted()
    assert run_once(slot, Control(ends_once)) == status
    (attempt,) = job.attempts.all()
    assert (attempt.outcome, attempt.exit_code, attempt.engine_pid) == (outcome, exit_code, ended[0])
    assert [c.attempts for c in job.chunks.all()] in ([0], [1])
    assert run_once(slot) == JobStatus.SUCCEEDED
