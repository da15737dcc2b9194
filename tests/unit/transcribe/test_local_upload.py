"""A file of this machine, handed in by the command line: copied, hashed, and only if it is a file."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tests.support.uploading import stored_files
from transcribe.errors import UploadRefused
from transcribe.uploads import local_upload

pytestmark = pytest.mark.usefixtures("uploads")


def test_it_copies_and_hashes_and_leaves_the_original(tmp_path: Path) -> None:
    source = tmp_path / "talk.wav"
    source.write_bytes(b"sound" * 500_000)
    with local_upload(source) as upload:
        assert upload.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
        assert upload.size == source.stat().st_size
        assert Path(upload.temporary_file_path()).read_bytes() == source.read_bytes()
    assert source.exists()
    assert stored_files() == []


def test_it_leaves_nothing_when_the_work_with_it_fails(tmp_path: Path) -> None:
    class Failure(Exception):
        pass

    (tmp_path / "talk.wav").write_bytes(b"sound")
    with pytest.raises(Failure), local_upload(tmp_path / "talk.wav"):
        raise Failure
    assert stored_files() == []


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "talk.wav")
    with pytest.raises(UploadRefused, match=r"^talk\.wav is not a file"), local_upload(tmp_path / "talk.wav"):
        pass


@pytest.mark.parametrize("name", ["/dev/zero", "/tmp"])
def test_a_device_or_folder_is_refused(name: str) -> None:
    with pytest.raises(UploadRefused, match="Give the path of a recording"), local_upload(Path(name)):
        pass


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), local_upload(tmp_path / "gone.wav"):
        pass


def test_a_name_as_long_as_names_can_be_is_taken(tmp_path: Path) -> None:
    source = tmp_path / ("a." + "x" * 253)
    source.write_bytes(b"sound")
    with local_upload(source) as upload:
        assert upload.name == source.name
