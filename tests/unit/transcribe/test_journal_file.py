"""The journal's file: cut or damaged at any byte it gives what was whole before, and can be written on."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from transcribe.engine.journal import frame, open_journal, read_records

HEADER = {"format": 1, "provenance": "a" * 64, "span": (0, 16_000)}
ENTRIES: list[tuple[str, Any]] = [
    ("one", {"text": " heat “ü”\n", "tokens": [1, 2]}),
    ("two", [["en", (0.1).hex()]]),
    ("three", []),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chunk-0.journal"


def no_word(text: str) -> None:
    raise AssertionError(f"nobody should have been told: {text}")


def taken_over(path: Path, tell: Callable[[str], None] = no_word, **changes: Any) -> dict[str, Any]:
    journal = open_journal(path, {**HEADER, **changes}, tell=tell)
    journal.close()
    return journal.taken_over


def written(path: Path) -> bytes:
    journal = open_journal(path, HEADER, tell=no_word)
    for key, value in ENTRIES:
        journal.append(key, value)
    journal.close()
    return path.read_bytes()


def test_entries_come_back(path: Path) -> None:
    written(path)
    assert taken_over(path) == dict(ENTRIES)


def test_cut_at_any_byte_it_gives_the_whole_entries_and_is_written_on(path: Path) -> None:
    whole = written(path)
    ends = [len(frame(HEADER))]
    for key, value in ENTRIES:
        ends.append(ends[-1] + len(frame([key, value])))
    assert ends[-1] == len(whole)
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        kept = max(0, sum(end <= cut for end in ends) - 1)
        journal = open_journal(path, HEADER, tell=no_word)
        assert journal.taken_over == dict(ENTRIES[:kept]), cut
        for key, value in ENTRIES[kept:]:
            journal.append(key, value)
        journal.close()
        assert path.read_bytes() == whole, cut


def test_a_changed_byte_ends_what_is_believed(path: Path) -> None:
    whole = written(path)
    values, _ = read_records(whole)
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 0x10
        found, end = read_records(bytes(damaged))
        assert end <= at
        assert found == values[: len(found)]


@pytest.mark.parametrize("tail", [bytes(4096), b"\xff" * 100], ids=["zeros", "ones"])
def test_a_tail_that_a_power_cut_left_is_dropped(path: Path, tail: bytes) -> None:
    whole = written(path)
    path.write_bytes(whole + tail)
    assert taken_over(path) == dict(ENTRIES)
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"provenance": "b" * 64}, "provenance"), ({"span": (1, 16_000)}, "span"), ({"threads": 2}, "threads")],
    ids=["provenance", "span", "more-facts"],
)
def test_one_for_something_else_is_emptied_and_said_so(path: Path, changes: dict[str, Any], named: str) -> None:
    written(path)
    said: list[str] = []
    assert taken_over(path, said.append, **changes) == {}
    assert said == [f"chunk-0.journal was written for something else (another {named}) and is not used."]
    assert taken_over(path, **changes) == {}


def test_it_is_for_its_owner_only(path: Path) -> None:
    before = os.umask(0)
    try:
        written(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_follows_no_link(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "other"
    target.write_bytes(b"mine")
    path.symlink_to(target)
    with pytest.raises(OSError, match="symbolic link"):
        open_journal(path, HEADER, tell=no_word)
    assert target.read_bytes() == b"mine"
