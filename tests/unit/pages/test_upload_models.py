"""Models that an administrator registered can be chosen; one whose file is gone breaks no page."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.test import Client

from tests.support.markup import elements
from tests.support.rows import CLIP, queued
from transcribe.models import Job
from transcribe.resolve import DEMO_PATH
from transcribe.services import model_register

pytestmark = pytest.mark.django_db

MINE = "registered:mine"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = Path(shutil.copy(DEMO_PATH, tmp_path / "mine.pt"))
    model_register("mine", str(path), None)
    return path


def offered(client: Client) -> list[str]:
    return [e["value"] for e in elements(client.get("/jobs/"), "option") if e.parents[-1].tag == "optgroup"]


@pytest.mark.usefixtures("checkpoint")
def test_a_registered_model_is_offered_and_taken(operator: Client) -> None:
    assert MINE in offered(operator)
    with CLIP.open("rb") as file:
        operator.post("/jobs/upload/", {"files": file, "model": MINE})
    assert Job.objects.get().model == MINE


def test_a_model_whose_file_is_gone_is_not_offered(operator: Client, checkpoint: Path) -> None:
    checkpoint.unlink()
    assert "demo" in offered(operator)
    assert MINE not in offered(operator)


def test_a_model_whose_file_is_gone_is_refused_at_its_field(operator: Client, checkpoint: Path) -> None:
    checkpoint.unlink()
    with CLIP.open("rb") as file:
        form = {"files": file, "model": MINE}
        answer = operator.post("/jobs/upload/", form, headers={"Accept": "application/json"})
    assert answer.status_code == 422
    assert set(answer.json()["fields"]) == {"model"}


def test_a_queued_job_whose_model_is_gone_breaks_no_page(operator: Client, checkpoint: Path) -> None:
    job = queued(model=MINE)
    checkpoint.unlink()
    for address in ("/", "/live/", "/jobs/live/", f"/jobs/{job.pk}/"):
        assert operator.get(address).status_code == 200, address
