"""Models are registered in the admin: a true checkpoint is taken, everything else is a word at its field."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.support.markup import element, elements, inside, messages
from tests.support.people import client_of
from transcribe.models import RegisteredModel
from transcribe.resolve import DEMO_PATH
from transcribe.services import model_register

pytestmark = pytest.mark.django_db

LIST = "/admin/transcribe/registeredmodel/"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return Path(shutil.copy(DEMO_PATH, tmp_path / "mine.pt"))


def add(client: Client, name: str, path: str | Path, **more: str) -> Any:
    return client.post(f"{LIST}add/", {"name": name, "path": str(path), **more}, follow=True)


def errors(answer: Any) -> dict[str, str]:
    """Field and what is said at it."""
    assert answer.status_code == 200
    form = answer.context["adminform"].form
    return {name: " ".join(texts) for name, texts in form.errors.items()}


def test_a_good_checkpoint_is_taken_and_the_person_told(administrator: Client, checkpoint: Path) -> None:
    answer = add(administrator, "mine", checkpoint)
    model = RegisteredModel.objects.get()
    assert (model.name, model.path, model.file_bytes) == ("mine", str(checkpoint), DEMO_PATH.stat().st_size)
    assert model.sha256 == hashlib.sha256(DEMO_PATH.read_bytes()).hexdigest()
    assert model.added_by is not None
    assert model.added_by.username == "administrator"
    assert answer.redirect_chain == [(LIST, 302)]
    assert messages(answer) == ["The registered model “mine” was added successfully."]


@pytest.mark.parametrize("button", ["_addanother", "_continue", "_save"])
def test_every_button_of_the_form_works(administrator: Client, checkpoint: Path, button: str) -> None:
    assert add(administrator, "mine", checkpoint, **{button: "1"}).status_code == 200
    assert RegisteredModel.objects.count() == 1


@pytest.mark.parametrize(
    "path", ["mine.pt", "./mine.pt", "~/mine.pt", "/nowhere/mine.pt", "/", "/dev/null", "/tmp/a\x00.pt"]
)
def test_a_path_to_no_file_is_told_at_its_field(administrator: Client, path: str) -> None:
    said = errors(add(administrator, "mine", path))
    assert set(said) == {"path"}
    assert not RegisteredModel.objects.exists()
    if "\x00" not in path:
        assert "give the absolute path of a checkpoint" in said["path"]


def test_a_relative_path_to_a_good_checkpoint_is_refused(
    administrator: Client, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkpoint.parent)
    assert "give the absolute path" in errors(add(administrator, "mine", "mine.pt"))["path"]


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 broken"])
def test_what_is_no_checkpoint_is_told_at_its_field(administrator: Client, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "text.pt").write_bytes(content)
    assert "not a checkpoint written by torch" in errors(add(administrator, "mine", tmp_path / "text.pt"))["path"]
    assert not RegisteredModel.objects.exists()


def test_a_name_that_is_taken_is_told_at_its_field(administrator: Client, checkpoint: Path) -> None:
    model_register("mine", str(checkpoint), None)
    said = errors(add(administrator, "mine", checkpoint))
    assert set(said) == {"name"}
    assert "already exists" in said["name"]
    assert RegisteredModel.objects.count() == 1


@pytest.mark.parametrize("name", ["", "two words", "a/b", "<b>", "x" * 81, "ü"])
def test_a_name_that_will_not_do_is_told_at_its_field(administrator: Client, checkpoint: Path, name: str) -> None:
    assert set(errors(add(administrator, name, checkpoint))) == {"name"}


def test_a_path_that_is_too_long_is_told_at_its_field(administrator: Client) -> None:
    assert set(errors(add(administrator, "mine", "/" + "x" * 600))) == {"path"}


def test_nothing_is_edited(administrator: Client, checkpoint: Path) -> None:
    model = model_register("mine", str(checkpoint), None)
    address = f"{LIST}{model.pk}/change/"
    page = administrator.get(address)
    assert page.status_code == 200
    assert [e for e in inside(page, "registeredmodel_form", "input") if e.attributes.get("type") != "hidden"] == []
    assert administrator.post(address, {"name": "other", "path": str(checkpoint)}).status_code == 403
    assert RegisteredModel.objects.get().name == "mine"
    assert hashlib.sha256(DEMO_PATH.read_bytes()).hexdigest() in page.content.decode()


def test_one_is_removed_after_a_question_and_its_file_stays(administrator: Client, checkpoint: Path) -> None:
    model = model_register("mine", str(checkpoint), None)
    address = f"{LIST}{model.pk}/delete/"
    assert administrator.get(address).status_code == 200
    assert RegisteredModel.objects.exists()
    administrator.post(address, {"post": "yes"})
    assert not RegisteredModel.objects.exists()
    assert checkpoint.is_file()


def test_who_may_only_see_models_adds_none(checkpoint: Path) -> None:
    viewer = client_of("viewer", "view_registeredmodel")
    assert viewer.get(LIST).status_code == 200
    assert viewer.get(f"{LIST}add/").status_code == 403
    assert add(viewer, "mine", checkpoint).status_code == 403
    assert not RegisteredModel.objects.exists()


def test_the_form_says_what_is_wanted(administrator: Client) -> None:
    page = administrator.get(f"{LIST}add/")
    assert "Absolute path on this server" in element(page, id="id_path_helptext").words
    assert [e["name"] for e in elements(page, "input", type="text")] == ["name", "path"]
