"""Decoded audio goes when it is certain that the job is ended, and nobody waits for the disk meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from tests.support.jobs import make_job
from transcribe import retention
from transcribe.conf import work_dir
from transcribe.models import Job
from transcribe.retention import retention_policy, tidy
from transcribe.services.claims import _take_back
from transcribe.states import JobStatus

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pcm(settings: Settings, tmp_path: Path) -> Path:
    settings.WORK_DIR = tmp_path
    work_dir(make_job(status=JobStatus.RUNNING, attempt=1, cancel_requested=True).pk).mkdir()
    path = work_dir(Job.objects.get().pk) / "audio.pcm"
    path.write_bytes(b"sound")
    return path


def test_it_stays_where_another_run_has_the_job(pcm: Path) -> None:
    old = Job.objects.get()
    Job.objects.update(attempt=2)
    assert not _take_back(old, "gone")
    assert pcm.exists()


def test_it_stays_where_the_end_is_rolled_back(pcm: Path) -> None:
    with transaction.atomic():
        assert _take_back(Job.objects.get(), "gone")
        transaction.set_rollback(True)
    assert pcm.exists()


def test_it_goes_with_the_commit(pcm: Path) -> None:
    assert _take_back(Job.objects.get(), "gone")
    assert not pcm.exists()


def test_tidy_removes_it_outside_a_transaction(pcm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Job.objects.update(status=JobStatus.SUCCEEDED)
    held: list[bool] = []
    rmtree = retention.shutil.rmtree
    monkeypatch.setattr(
        retention.shutil, "rmtree", lambda *w, **k: (held.append(connection.in_atomic_block), rmtree(*w, **k))
    )
    tidy(retention_policy())
    assert not pcm.exists()
    assert list(pcm.parents[1].iterdir()) == []
    assert held == [False]
