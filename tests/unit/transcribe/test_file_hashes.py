from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from transcribe import file_hashes
from transcribe.file_hashes import HashingStopped, file_sha256, file_sha256_cached, remember_sha256

SHA256 = hashlib.sha256(b"weights").hexdigest()
WRONG = "0" * 64


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.pt"
    path.write_bytes(b"weights")
    return path


@pytest.mark.parametrize("size_bytes", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_it_hashes_all_of_the_file(tmp_path: Path, size_bytes: int) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * size_bytes)
    assert file_sha256(path) == hashlib.sha256(b"x" * size_bytes).hexdigest()


def test_it_stops_when_asked(weights: Path) -> None:
    with pytest.raises(HashingStopped):
        file_sha256(weights, should_stop=lambda: True)


def test_it_believes_the_stamp_of_a_file_that_is_as_it_was(weights: Path) -> None:
    remember_sha256(weights, WRONG)
    assert file_sha256_cached(weights) == WRONG


def test_it_hashes_again_when_the_file_was_written_to(weights: Path) -> None:
    remember_sha256(weights, WRONG)
    os.utime(weights, ns=(1, 1))
    assert file_sha256_cached(weights) == SHA256


def test_it_hashes_again_when_another_file_was_put_there(weights: Path) -> None:
    status = weights.stat()
    remember_sha256(weights, WRONG)
    other = weights.with_name("other")
    other.write_bytes(b"WEIGHTS")
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(weights)
    assert file_sha256_cached(weights) == hashlib.sha256(b"WEIGHTS").hexdigest()


@pytest.mark.parametrize("content", ["", "{}", "[]", "garbage", '{"sha256": 1}'])
def test_it_passes_over_a_stamp_that_is_none(weights: Path, content: str) -> None:
    weights.with_name("tiny.pt.verified.json").write_text(content)
    assert file_sha256_cached(weights) == SHA256


@pytest.mark.parametrize(("least_bytes", "kept"), [(7, True), (8, False)])
def test_it_remembers_only_large_files(
    weights: Path, monkeypatch: pytest.MonkeyPatch, least_bytes: int, kept: bool
) -> None:
    monkeypatch.setattr(file_hashes, "WORTH_REMEMBERING_BYTES", least_bytes)
    assert file_sha256_cached(weights) == SHA256
    assert weights.with_name("tiny.pt.verified.json").exists() is kept
