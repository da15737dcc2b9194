"""The engine's low priority: what the kernel says of each of its threads, those that decode as well."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.support.engines import manners_of, threads_of
from tests.support.runs import run_once, submitted
from transcribe.engine_logs import AttemptLog
from transcribe.held import HeldTimes
from transcribe.slot import EngineSlot
from transcribe.states import JobStatus
from transcribe.supervisor import EngineProcess

NICE, OOM_SCORE_ADJ = 10, 500  # the protocol's


def test_it_has_it_from_the_start(tmp_path: Path) -> None:
    """Its Python needs a moment to come up and to import what it is."""
    with (tmp_path / "lock").open("w") as lock:
        engine = EngineProcess(lock_descriptor=lock.fileno(), log=AttemptLog(tmp_path / "log"), held=HeldTimes())
        seen = os.getpriority(os.PRIO_PROCESS, engine.pid), Path(f"/proc/{engine.pid}/oom_score_adj").read_text()
        engine.kill()
    assert seen == (NICE, f"{OOM_SCORE_ADJ}\n")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("uploads")
def test_every_thread_of_the_engine_has_it(slot: EngineSlot, settings: Settings) -> None:
    settings.ENGINE_THREADS = 2
    submitted()
    assert run_once(slot) == JobStatus.SUCCEEDED
    assert slot._engine is not None
    pid = slot._engine.pid
    assert len(threads_of(pid)) >= 2, "the one that decodes, and the one that reads requests"
    assert set(manners_of(pid).values()) == {(NICE, "idle")}, manners_of(pid)
    assert Path(f"/proc/{pid}/oom_score_adj").read_text() == f"{OOM_SCORE_ADJ}\n"
