"""Weights that cannot be had: what is said, and what is left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.audio_files import garbage
from tests.support.weights_server import CLOSED_PORT, Publisher, model_of, never, publishing
from transcribe.catalog import CatalogModel
from transcribe.errors import ModelUnavailable
from transcribe.weights import (
    WeightsCorrupt,
    WeightsDiskFull,
    WeightsError,
    WeightsStopped,
    WeightsUnavailable,
    weights_ensure,
)

CONTENT = garbage(500_000)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with publishing(CONTENT) as publisher:
        yield publisher


def refusal(model: CatalogModel, models: Path) -> WeightsError:
    with pytest.raises(WeightsError) as caught:
        weights_ensure(model, models, on_progress=lambda *_: None, should_stop=never, retry_pauses_seconds=(0.0, 0.0))
    assert isinstance(caught.value, ModelUnavailable)
    return caught.value


def assert_says_how_to_help_oneself(error: WeightsError, model: CatalogModel, models: Path) -> None:
    assert str(models / "tiny.pt") in str(error)
    assert model.sha256 in str(error)
    assert model.url in str(error)


def test_without_a_network_it_says_where_to_put_the_file_and_its_hash(tmp_path: Path) -> None:
    model = model_of(CONTENT, CLOSED_PORT)
    error = refusal(model, tmp_path)
    assert isinstance(error, WeightsUnavailable)
    assert "Connection refused" in str(error)
    assert_says_how_to_help_oneself(error, model, tmp_path)
    assert not error.permanent


def test_a_host_that_does_not_exist_reads_the_same(tmp_path: Path) -> None:
    model = model_of(CONTENT, "http://weights.invalid")
    error = refusal(model, tmp_path)
    assert isinstance(error, WeightsUnavailable)
    assert_says_how_to_help_oneself(error, model, tmp_path)


def test_a_wrong_hash_is_refused_and_the_file_removed(publisher: Publisher, tmp_path: Path) -> None:
    model = model_of(b"what was published", publisher.url)
    error = refusal(model, tmp_path)
    assert isinstance(error, WeightsCorrupt)
    assert model_of(CONTENT).sha256 in str(error)
    assert_says_how_to_help_oneself(error, model, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.pt.lock"]


def test_a_missing_file_is_not_asked_for_again(publisher: Publisher, tmp_path: Path) -> None:
    publisher.statuses = [404]
    model = model_of(CONTENT, publisher.url)
    error = refusal(model, tmp_path)
    assert "answered 404 Not Found" in str(error)
    assert_says_how_to_help_oneself(error, model, tmp_path)
    assert len(publisher.asked) == 1


def test_a_server_that_stays_busy_is_given_up_and_what_came_is_kept(publisher: Publisher, tmp_path: Path) -> None:
    publisher.cut_after_bytes = [200_000, 0, 0, 0]
    model = model_of(CONTENT, publisher.url)
    assert isinstance(refusal(model, tmp_path), WeightsUnavailable)
    assert (tmp_path / "tiny.pt.part").stat().st_size == 200_000


def test_a_wrong_file_put_there_by_hand_is_set_aside_and_told(tmp_path: Path) -> None:
    (tmp_path / "tiny.pt").write_bytes(b"not these weights")
    error = refusal(model_of(CONTENT, CLOSED_PORT), tmp_path)
    assert f"is now {tmp_path / 'tiny.pt.wrong'}" in str(error)
    assert (tmp_path / "tiny.pt.wrong").read_bytes() == b"not these weights"
    assert not (tmp_path / "tiny.pt").exists()


def test_a_wrong_file_is_replaced_where_there_is_a_network(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "tiny.pt").write_bytes(b"not these weights")
    model = model_of(CONTENT, publisher.url)
    path = weights_ensure(model, tmp_path, on_progress=lambda *_: None, should_stop=never)
    assert path.read_bytes() == CONTENT


def test_it_stops_when_asked(publisher: Publisher, tmp_path: Path) -> None:
    with pytest.raises(WeightsStopped):
        weights_ensure(
            model_of(CONTENT, publisher.url), tmp_path, on_progress=lambda *_: None, should_stop=lambda: True
        )
    assert not (tmp_path / "tiny.pt").exists()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/tiny.pt", "data:,x"])
def test_it_speaks_http_only(tmp_path: Path, url: str) -> None:
    model = model_of(CONTENT)
    error = refusal(
        CatalogModel(name="tiny", url=url, sha256=model.sha256, file_name="tiny.pt", english_only=False), tmp_path
    )
    assert isinstance(error, WeightsUnavailable)


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("")
    model = model_of(CONTENT)
    error = refusal(model, tmp_path / "models")
    assert isinstance(error, WeightsUnavailable)
    assert "Let this program write there" in str(error)


def test_a_disk_that_is_too_small_is_told_before_the_first_byte(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free_bytes = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    monkeypatch.setattr("transcribe.weights.SPARE_DISK_BYTES", free_bytes + (1 << 30))
    error = refusal(model_of(CONTENT, publisher.url), tmp_path)
    assert isinstance(error, WeightsDiskFull)
    assert "Free some space, then try again" in str(error)
    assert not (tmp_path / "tiny.pt.part").exists()


def test_a_server_that_says_no_length_cannot_fill_the_disk(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.says_length = False
    monkeypatch.setattr("transcribe.weights.SPARE_DISK_BYTES", 1 << 60)
    error = refusal(model_of(CONTENT, publisher.url), tmp_path)
    assert isinstance(error, WeightsDiskFull)
