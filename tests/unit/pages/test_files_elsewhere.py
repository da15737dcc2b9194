"""A file that is sent to any other page than the upload's touches no disk, whoever sends it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

pytestmark = pytest.mark.django_db
PAGES = ["/admin/login/", "/", "/no/such/page/", "/admin/no/such/page/", "/jobs/", "/gate/"]


@pytest.fixture(params=["anonymous", "logged in"])
def sender(request: pytest.FixtureRequest, admin_user: object) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.cookies["j5a_csrf"] = "x" * 32  # with it, Django reads the form in search of its token
    if request.param == "logged in":
        client.force_login(admin_user)  # type: ignore[arg-type]
    return client


@pytest.mark.parametrize("page", PAGES)
def test_it_is_not_stored(sender: Client, settings: Settings, tmp_path: Path, page: str) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "file"  # whoever stores one here fails
    settings.FILE_UPLOAD_TEMP_DIR.touch()
    answer = sender.post(page, {"files": SimpleUploadedFile("a.wav", b"x" * 100_000)})
    assert answer.status_code in {302, 403, 404, 405}


@pytest.mark.parametrize("page", PAGES[:2])
def test_a_large_one_is_not_even_read(sender: Client, page: str) -> None:
    answer = sender.post(page, {"files": SimpleUploadedFile("a.wav", b"x" * 300_000)})
    assert answer.status_code in {302, 400, 413}
