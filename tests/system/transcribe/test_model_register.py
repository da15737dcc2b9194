"""Checkpoints that an administrator adds: a true one is taken, anything else is refused with what to do."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser, User

from transcribe.checkpoints import checkpoint_check
from transcribe.errors import ModelUnknown
from transcribe.models import RegisteredModel
from transcribe.resolve import DEMO_PATH, model_fetch, model_requirement, model_value
from transcribe.services import model_register

pytestmark = pytest.mark.django_db

NOBODY = 65534


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return Path(shutil.copy(DEMO_PATH, tmp_path / "mine.pt"))


def test_it_takes_a_checkpoint_with_its_hash_and_size(checkpoint: Path) -> None:
    model = model_register("mine", str(checkpoint), None)
    assert RegisteredModel.objects.get() == model
    assert model.sha256 == hashlib.sha256(DEMO_PATH.read_bytes()).hexdigest()
    assert (model.path, model.file_bytes, model.added_by) == (str(checkpoint), DEMO_PATH.stat().st_size, None)


def test_it_can_be_chosen_by_its_name_from_then_on(checkpoint: Path) -> None:
    model_register("mine", str(checkpoint), None)
    assert model_value("mine") == "registered:mine"
    assert model_requirement("registered:mine").bytes > 0


def test_it_keeps_who_added_it(checkpoint: Path) -> None:
    anna = User.objects.create_user("anna")
    assert model_register("mine", str(checkpoint), anna).added_by == anna
    assert model_register("other", str(checkpoint), AnonymousUser()).added_by is None


def test_it_keeps_the_true_path_of_a_link(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "link.pt").symlink_to(checkpoint)
    assert model_register("mine", str(tmp_path / "link.pt"), None).path == str(checkpoint)


def refusal(path: str) -> str:
    with pytest.raises(ModelUnknown) as caught:
        model_register("mine", path, None)
    assert not RegisteredModel.objects.exists()
    assert path in str(caught.value)
    return str(caught.value)


def test_it_refuses_a_relative_path(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkpoint.parent)
    assert "give the absolute path" in refusal("mine.pt")


@pytest.mark.parametrize("path", ["/nowhere/mine.pt", "", "/", "/dev/null", "/tmp/\x00.pt"])
def test_it_refuses_what_is_no_file(path: str) -> None:
    assert "give the absolute path" in refusal(path)


def test_it_refuses_a_file_that_is_no_checkpoint(tmp_path: Path) -> None:
    for name, content in [("empty.pt", b""), ("text.pt", b"hello"), ("sound.pt", b"RIFF" * 1000)]:
        (tmp_path / name).write_bytes(content)
        assert "not a checkpoint written by torch" in refusal(str(tmp_path / name))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("word/document.xml", b"<xml/>"),
        ("mine/data.pkl", b""),
        ("mine/data.pkl", b"\x80\x02}q\x00."),
        ("mine/data.pkl", b"\x80\x02X\x04\x00\x00\x00dimsq\x00."),
        ("mine/data.pkl", b"\xff\xff"),
    ],
)
def test_it_refuses_an_archive_that_holds_no_whisper_model(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / "mine.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, content)
    assert "not a checkpoint written by torch" in refusal(str(path))


def test_it_refuses_a_checkpoint_that_was_cut_off(checkpoint: Path) -> None:
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1000])
    assert "not a checkpoint written by torch" in refusal(str(checkpoint))


@contextmanager
def as_nobody() -> Iterator[None]:
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.usefixtures("needs_root")
@pytest.mark.parametrize("closed", ["file", "folder"])
def test_it_says_that_a_file_may_not_be_read(closed: str) -> None:
    # Not below tmp_path: pytest closes that to others by itself.
    folder = Path("/tmp") / f"j5a-registry-{os.getpid()}"
    folder.mkdir()
    try:
        path = Path(shutil.copy(DEMO_PATH, folder / "mine.pt"))
        (path if closed == "file" else folder).chmod(0o000)
        with as_nobody(), pytest.raises(ModelUnknown, match=r"cannot be read by the panel: Permission denied\. Check"):
            checkpoint_check(str(path))
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["demo", "tiny", "large-v3"])
def test_it_refuses_the_name_of_a_model_that_everybody_has(checkpoint: Path, name: str) -> None:
    with pytest.raises(ModelUnknown, match="built-in model"):
        model_register(name, str(checkpoint), None)


def test_a_file_that_has_changed_is_not_used(checkpoint: Path) -> None:
    model_register("mine", str(checkpoint), None)
    with checkpoint.open("ab") as file:
        file.write(b"more")
    with pytest.raises(ModelUnknown, match="has changed since it was registered"):
        model_fetch("registered:mine", on_progress=lambda *_: None, should_stop=lambda: False)


def test_it_refuses_an_archive_that_unpacks_to_gigabytes(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", bytes(17 * 1024**2))
    assert "not a checkpoint" in refusal(str(tmp_path / "bomb.pt"))
