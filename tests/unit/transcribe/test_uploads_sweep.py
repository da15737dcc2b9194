"""What killed uploads left behind is removed; what is on its way in stays, whoever looks meanwhile."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from transcribe.uploads import local_upload, uploads_sweep


def aged(path: Path) -> Path:
    an_hour_ago = time.time() - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))
    return path


@pytest.fixture
def leftover(uploads: Path) -> Path:
    path = uploads / "incoming" / "tmpabc.upload"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"half a recording")
    return path


def test_it_removes_what_nobody_writes(leftover: Path) -> None:
    aged(leftover)
    uploads_sweep()
    assert not leftover.exists()


def test_it_leaves_one_that_was_just_begun(leftover: Path) -> None:
    uploads_sweep()
    assert leftover.exists()


def test_it_leaves_one_that_is_on_its_way_in(uploads: Path, tmp_path: Path) -> None:
    (tmp_path / "talk.wav").write_bytes(b"sound")
    with local_upload(tmp_path / "talk.wav") as upload:
        path = aged(Path(upload.temporary_file_path()))
        uploads_sweep()
        assert path.exists()
    assert not path.exists()
