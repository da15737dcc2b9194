"""The cap on the engine's threads: what torch was told is what it uses, and the kernel sees no more of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.support.engines import request_for, running_engine, threads_of
from tests.support.panel import until
from tests.support.runs import run_once, submitted
from tests.support.speech_files import SPEECH_DIR, pcm
from transcribe.engine.journal import read_records
from transcribe.engine_logs import AttemptLog
from transcribe.held import HeldTimes
from transcribe.slot import EngineSlot
from transcribe.states import JobStatus
from transcribe.supervisor import EngineProcess

MORE = min(2, len(os.sched_getaffinity(0))) - 1  # torch takes no more than there are processors


def used(tmp_path: Path, cap: int) -> tuple[int, int]:
    """How many threads torch decoded with, by the header of the journal, and how many the process has then."""
    recording, journal = tmp_path / "audio.pcm", tmp_path / f"{cap}.journal"
    recording.write_bytes(pcm(SPEECH_DIR / "clip_00.flac").astype("<i2").tobytes())
    with running_engine(tmp_path / f"{cap}.log", threads=cap) as engine:
        engine.transcribe(request_for(recording, journal_path=str(journal)))
        records, _ = read_records(journal.read_bytes())
        return records[0]["threads"], len(threads_of(engine.pid))


def test_the_cap_decides_how_many_threads_decode(tmp_path: Path) -> None:
    one, two = used(tmp_path, 1), used(tmp_path, 2)
    assert (one[0], two[0]) == (1, 1 + MORE)
    assert one[1] == 2, "the one that decodes, and the one that reads requests"
    assert two[1] >= one[1] + MORE


def threads_of_a_job(slot: EngineSlot) -> int:
    """As the kernel counts them in the engine that has just read a job, and waits for another."""
    submitted()
    assert run_once(slot) == JobStatus.SUCCEEDED
    assert slot._engine is not None
    count = len(threads_of(slot._engine.pid))
    slot.kill()
    return count


WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "2000"}),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, {"OMP_WAIT_POLICY": "ACTIVE"}),
        ({"GOMP_SPINCOUNT": "7"}, {"GOMP_SPINCOUNT": "7"}),
    ],
)
def test_how_its_threads_wait_is_ours_unless_somebody_says_it(
    given: dict[str, str], wanted: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in WAITING:
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with (tmp_path / "lock").open("w") as lock:
        engine = EngineProcess(lock_descriptor=lock.fileno(), log=AttemptLog(tmp_path / "log"), held=HeldTimes())
        environment = Path(f"/proc/{engine.pid}/environ")  # empty while it becomes its program
        variables = until(environment.read_text, seconds=10, what="its environment is there")
        engine.kill()
    pairs = dict(variable.split("=", 1) for variable in variables.split("\0") if "=" in variable)
    assert {name: pairs[name] for name in WAITING if name in pairs} == wanted


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("uploads")
def test_the_setting_is_the_cap(slot: EngineSlot, settings: Settings) -> None:
    settings.ENGINE_THREADS = 1
    one = threads_of_a_job(slot)
    settings.ENGINE_THREADS = 2
    assert (one, threads_of_a_job(slot) >= one + MORE) == (2, True)
