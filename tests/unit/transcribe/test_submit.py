from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.db import transaction
from django_q.models import OrmQ
from pytest_django import Settings

from tests.support.speech_files import SAMPLE
from transcribe.audio.errors import AudioError
from transcribe.errors import ModelUnknown
from transcribe.models import Job, JobEvent
from transcribe.options import DecodingOptions
from transcribe.services import Submitted, job_submit
from transcribe.uploads import local_upload

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_uploads(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "uploads"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "uploads" / "incoming"


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def submit(path: Path, *, title: str = "", model: str = "demo") -> Submitted:
    with local_upload(path) as upload:
        return job_submit(
            upload, title=title, model=model, language="", options=DecodingOptions.from_mapping({}), user=None
        )


def test_it_stores_the_file_and_enqueues_the_wake_up(tmp_path: Path) -> None:
    job = submit(SAMPLE).job
    assert Path(job.audio.path).read_bytes() == SAMPLE.read_bytes()
    assert (job.title, job.original_name) == ("sample", "sample.mp3")
    assert job.duration_seconds == pytest.approx(75, abs=10)
    assert OrmQ.objects.count() == 1
    assert JobEvent.objects.get().new == "queued"
    assert len(files(tmp_path)) == 1


def test_the_stored_name_holds_nothing_of_the_persons_name(tmp_path: Path) -> None:
    evil = tmp_path / "in" / '..\\.. "q" 🎙.mp3'
    evil.parent.mkdir()
    shutil.copy(SAMPLE, evil)
    job = submit(evil).job
    assert job.original_name == '.. "q" 🎙.mp3'
    assert Path(job.audio.path).parent == tmp_path / "uploads"
    assert Path(job.audio.path).stem.isalnum()


def test_it_points_out_the_same_file() -> None:
    first = submit(SAMPLE)
    second = submit(SAMPLE)
    assert first.duplicate_of is None
    assert second.duplicate_of == first.job


def test_a_refused_file_leaves_nothing(tmp_path: Path) -> None:
    bad = tmp_path / "notes.mp3"
    bad.write_text("not sound at all")
    with pytest.raises(AudioError, match=r"notes\.mp3"):
        submit(bad)
    assert not Job.objects.exists()
    assert not OrmQ.objects.exists()
    assert files(tmp_path / "uploads") == []


def test_an_unknown_model_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ModelUnknown, match="enormous"):
        submit(SAMPLE, model="enormous")
    assert files(tmp_path / "uploads") == []


def test_a_rolled_back_submission_leaves_no_wake_up() -> None:
    class Abandoned(Exception):
        pass

    with pytest.raises(Abandoned), transaction.atomic():
        submit(SAMPLE)
        raise Abandoned
    assert not OrmQ.objects.exists()
    assert not Job.objects.exists()
