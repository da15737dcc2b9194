"""An attempt has one log, also when its engine ended between two chunks and another one goes on."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.support.panel import until
from tests.support.runs import admitted, place_of_runs
from transcribe.slot import EngineSlot

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_next_engine_writes_on_in_it(settings: Settings, tmp_path: Path) -> None:
    place_of_runs(settings, tmp_path)
    slot = EngineSlot()
    try:
        job, model = admitted(slot)
        first = slot.engine(job, model, watch=lambda: None)
        os.kill(first.pid, signal.SIGKILL)
        until(lambda: not first.is_alive(), seconds=30, what="it is dead")
        slot.admit(job, model)
        second = slot.engine(job, model, watch=lambda: None)
        assert second.pid != first.pid
        assert second.log.path == first.log.path
        assert second.log.tail().count("was loaded in") == 1, "what the first one wrote is not the second's"
        assert second.log.path.read_text().count("was loaded in") == 2
    finally:
        slot.kill()
