"""The log of an engine is kept small as long as it runs, also while nobody waits for its answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from tests.support.panel import until
from tests.support.runs import admitted, place_of_runs
from transcribe.engine_logs import LIMIT_BYTES
from transcribe.slot import EngineSlot

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_is_cut_beside_a_run_that_stands_still(settings: Settings, tmp_path: Path) -> None:
    place_of_runs(settings, tmp_path)
    slot = EngineSlot()
    try:
        job, model = admitted(slot)
        log_path = slot.engine(job, model, watch=lambda: None).log.path
        with log_path.open("ab") as log:
            log.write(b"a line of a talkative library\n" * (LIMIT_BYTES // 20))
        assert log_path.stat().st_size > LIMIT_BYTES
        until(lambda: log_path.stat().st_size < LIMIT_BYTES, seconds=30, what="the log is cut")
    finally:
        slot.kill()
