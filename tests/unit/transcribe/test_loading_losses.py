"""An engine lost while its model loads is tried again four times, later each time; the fifth loss ends the job."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from pytest_django import Settings

from gate.services import policy_in_force
from tests.support.speech_files import SPEECH_DIR
from transcribe.models import AttemptOutcome, Job
from transcribe.options import DecodingOptions
from transcribe.runner import run_job
from transcribe.services.claims import job_claim
from transcribe.services.jobs import job_submit
from transcribe.slot import EngineSlot
from transcribe.states import JobStatus
from transcribe.supervisor import EngineProcess
from transcribe.uploads import local_upload

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("uploads")]


class Nobody:
    def stopping(self) -> bool:
        return False

    def progress(self, job: Job) -> None: ...


@pytest.fixture
def job(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Real engines, each killed as soon as it has been started."""
    settings.GATE_LOCK_PATH = tmp_path / "locks" / "whisper_large.lock"
    settings.WORK_DIR, settings.LOG_DIR = tmp_path / "work", tmp_path / "logs"
    settings.GATE_MARGIN_BYTES = 1
    started = EngineProcess.__init__

    def start_and_kill(self: EngineProcess, **values: object) -> None:
        started(self, **values)  # type: ignore[arg-type]
        self._process.kill()

    monkeypatch.setattr(EngineProcess, "__init__", start_and_kill)
    assert policy_in_force().margin_bytes == 1
    with local_upload(SPEECH_DIR / "clip_00.flac") as upload:
        options = DecodingOptions.from_mapping({})
        submitted = job_submit(upload, title="", model="demo", language="", options=options, user=None)
    return submitted.job


def test_the_fifth_loss_ends_it_and_each_is_counted_once(job: Job) -> None:
    slot = EngineSlot()
    waits = []
    for _ in range(5):
        Job.objects.update(next_try_at=None)
        claimed = job_claim()
        assert claimed is not None
        run_job(claimed, slot, Nobody())
        job.refresh_from_db()
        if job.next_try_at is not None:
            waits.append(round((job.next_try_at - timezone.now()) / timedelta(seconds=settings.GATE_RETRY_SECONDS)))
    assert waits == [1, 2, 4, 8]
    assert job.status == JobStatus.FAILED
    assert job.reason.startswith("The engine was killed by signal 9")
    assert job.reason.endswith("This happened 5 times while the model was loading.")
    lost = [AttemptOutcome.ENGINE_LOST] * 4
    assert list(job.attempts.values_list("outcome", flat=True)) == [*lost, AttemptOutcome.FAILED]
    assert job_claim() is None
