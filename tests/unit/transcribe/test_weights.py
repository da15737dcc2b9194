"""Weights on first use, from a real server on this machine: progress, going on after a cut, the published hash."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.audio_files import garbage
from tests.support.weights_server import Publisher, after, model_of, never, publishing
from transcribe.download import OnProgress
from transcribe.weights import WeightsStopped, weights_ensure

CONTENT = garbage(3_500_000)
PART = "tiny.pt.part"


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with publishing(CONTENT) as publisher:
        yield publisher


def ignore(done_bytes: int, total_bytes: int | None) -> None: ...


def fetch(publisher: Publisher, models: Path, on_progress: OnProgress = ignore) -> Path:
    model = model_of(CONTENT, publisher.url)
    return weights_ensure(
        model, models, on_progress=on_progress, should_stop=never, retry_pauses_seconds=(0.0, 0.0, 0.0)
    )


def names(models: Path) -> set[str]:
    return {path.name for path in models.iterdir()}


def test_it_fetches_into_the_models_folder(publisher: Publisher, tmp_path: Path) -> None:
    path = fetch(publisher, tmp_path / "models")
    assert path == tmp_path / "models" / "tiny.pt"
    assert path.read_bytes() == CONTENT
    assert publisher.asked == [None]
    assert names(tmp_path / "models") == {"tiny.pt", "tiny.pt.verified.json", "tiny.pt.lock"}


def test_it_tells_its_progress(publisher: Publisher, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    fetch(publisher, tmp_path, lambda done, total: told.append((done, total)))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert told == sorted(told)
    assert {total for _, total in told} == {len(CONTENT)}


def test_it_asks_nobody_when_the_file_is_there(publisher: Publisher, tmp_path: Path) -> None:
    fetch(publisher, tmp_path)
    fetch(publisher, tmp_path)
    assert len(publisher.asked) == 1


def test_it_takes_a_file_that_was_put_there_by_hand(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "tiny.pt").write_bytes(CONTENT)
    assert fetch(publisher, tmp_path).read_bytes() == CONTENT
    assert publisher.asked == []


def test_it_takes_a_mirror_that_holds_hash_and_name(publisher: Publisher, tmp_path: Path) -> None:
    model = model_of(CONTENT)
    weights_ensure(model, tmp_path, on_progress=ignore, should_stop=never, base_url=f"{publisher.url}/mirror/")
    assert publisher.paths == [f"/mirror/{model.sha256}/tiny.pt"]


def test_it_goes_on_where_the_connection_was_cut(publisher: Publisher, tmp_path: Path) -> None:
    publisher.cut_after_bytes = [1_200_000, 1_000_000]
    assert fetch(publisher, tmp_path).read_bytes() == CONTENT
    assert publisher.asked == [None, "bytes=1200000-", "bytes=2200000-"]
    assert publisher.if_ranges == [None, '"v1"', '"v1"']


def test_it_goes_on_after_a_restart(publisher: Publisher, tmp_path: Path) -> None:
    model = model_of(CONTENT, publisher.url)
    with pytest.raises(WeightsStopped):
        weights_ensure(model, tmp_path, on_progress=ignore, should_stop=after(1))
    have_bytes = (tmp_path / PART).stat().st_size
    assert 0 < have_bytes < len(CONTENT)
    assert fetch(publisher, tmp_path).read_bytes() == CONTENT
    assert publisher.asked == [None, f"bytes={have_bytes}-"]


def test_it_starts_anew_with_a_server_that_knows_no_ranges(publisher: Publisher, tmp_path: Path) -> None:
    publisher.cut_after_bytes, publisher.knows_ranges = [1_000_000], False
    assert fetch(publisher, tmp_path).read_bytes() == CONTENT


def test_it_starts_anew_when_the_file_there_has_changed(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / PART).write_bytes(garbage(900_000, seed=9))
    (tmp_path / f"{PART}.json").write_text(f'{{"url": "{model_of(CONTENT, publisher.url).url}", "etag": "\\"v0\\""}}')
    assert fetch(publisher, tmp_path).read_bytes() == CONTENT
    assert (publisher.asked, publisher.if_ranges) == (["bytes=900000-"], ['"v0"'])


def test_it_starts_anew_when_what_lay_there_was_of_another_file(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / PART).write_bytes(garbage(900_000, seed=9))
    assert fetch(publisher, tmp_path).read_bytes() == CONTENT
    assert publisher.asked == ["bytes=900000-", None]


def test_it_starts_anew_when_more_lay_there_than_the_file_has(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / PART).write_bytes(CONTENT + b"more")
    assert fetch(publisher, tmp_path).read_bytes() == CONTENT


def test_it_uses_a_part_that_is_whole(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / PART).write_bytes(CONTENT)
    assert fetch(publisher, tmp_path).read_bytes() == CONTENT
    assert publisher.asked == [f"bytes={len(CONTENT)}-"]


def test_it_takes_an_answer_without_a_length(publisher: Publisher, tmp_path: Path) -> None:
    publisher.says_length = False
    told: list[int | None] = []
    assert fetch(publisher, tmp_path, lambda _, total: told.append(total)).read_bytes() == CONTENT
    assert set(told) == {None}


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_it_tries_again_when_the_server_is_busy(publisher: Publisher, tmp_path: Path, status: int) -> None:
    publisher.statuses = [status, status]
    assert fetch(publisher, tmp_path).read_bytes() == CONTENT
    assert len(publisher.asked) == 3


def test_two_that_ask_at_once_fetch_once(publisher: Publisher, tmp_path: Path) -> None:
    found: list[Path] = []
    askers = [threading.Thread(target=lambda: found.append(fetch(publisher, tmp_path))) for _ in range(3)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert found == [tmp_path / "tiny.pt"] * 3
    assert len(publisher.asked) == 1
