"""Real runs of a job in the test's own process: real engine, real lock and gate, the demo model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.support.jobs import make_job
from tests.support.speech_files import SPEECH_DIR
from transcribe.models import Job
from transcribe.options import DecodingOptions
from transcribe.resolve import ResolvedModel, model_fetch
from transcribe.runner import run_job
from transcribe.services.claims import job_claim
from transcribe.services.jobs import job_submit
from transcribe.slot import EngineSlot
from transcribe.states import JobStatus
from transcribe.uploads import local_upload


class Control:
    """`asked`: called each time the run asks whether to stop, which is many times a second; never to stop."""

    def __init__(self, asked: Callable[[], None] = lambda: None) -> None:
        self._asked = asked

    def stopping(self) -> bool:
        self._asked()
        return False

    def progress(self, job: Job) -> None: ...


def place_of_runs(settings: Settings, folder: Path) -> None:
    settings.GATE_LOCK_PATH = folder / "locks" / "whisper_large.lock"
    settings.WORK_DIR, settings.LOG_DIR = folder / "work", folder / "logs"
    settings.GATE_MARGIN_BYTES = 1


def submitted(recording: Path = SPEECH_DIR / "clip_00.flac") -> Job:
    with local_upload(recording) as upload:
        options = DecodingOptions.from_mapping({})
        return job_submit(upload, title="", model="demo", language="en", options=options, user=None).job


def run_once(slot: EngineSlot, control: Control | None = None) -> JobStatus:
    """Claim the one job, whatever its next try, and run it."""
    Job.objects.update(next_try_at=None)
    job = job_claim()
    assert job is not None
    return run_job(job, slot, control or Control())


def admitted(slot: EngineSlot) -> tuple[Job, ResolvedModel]:
    """A claimed job without a recording, let in by the gate with the demo model; no engine runs yet."""
    make_job()
    job = job_claim()
    assert job is not None
    model = model_fetch("demo", on_progress=lambda *_: None, should_stop=lambda: False)
    slot.admit(job, model)
    return job, model


@pytest.fixture
def slot(settings: Settings, tmp_path: Path) -> Iterator[EngineSlot]:
    """The place of an engine, with a lock of the test's own; no engine is left in it."""
    place_of_runs(settings, tmp_path)
    slot = EngineSlot()
    yield slot
    slot.kill()
