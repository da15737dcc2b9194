"""RFC 9110, section 14: the range header as a truth table."""

from __future__ import annotations

import pytest

from transcribe.ranges import ByteRange, RangeNotSatisfiable, parse_range

SIZE = 1000


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-", 0, 999),
        ("bytes=0-0", 0, 0),
        ("bytes=0-999", 0, 999),
        ("bytes=0-1000", 0, 999),
        ("bytes=0-99999999999999999", 0, 999),
        ("bytes=500-", 500, 999),
        ("bytes=999-", 999, 999),
        ("bytes=200-299", 200, 299),
        ("bytes=-1", 999, 999),
        ("bytes=-999", 1, 999),
        ("bytes=-1000", 0, 999),
        ("bytes=-1001", 0, 999),
        ("Bytes=5-9", 5, 9),
        (" bytes = 5 - 9 ", 5, 9),
        ("bytes=005-009", 5, 9),
    ],
)
def test_one_range_is_cut_to_the_file(header: str, first: int, last: int) -> None:
    assert parse_range(header, SIZE) == ByteRange(first, last)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=1",
        "bytes=--5",
        "bytes=9-5",
        "bytes=2000-1999",
        "bytes=5-9,20-29",
        "bytes=0-1,",
        "items=0-5",
        "bytes=٣-٤",
        "bytes=0x1-0x2",
        "bytes=1.0-2",
        "bytes=0-5\nX: y",
        "bytes=0-" + "9" * 5000,
        "bytes=" + "9" * 5000 + "-",
        "bytes=-" + "9" * 5000,
    ],
)
def test_what_is_malformed_or_several_is_ignored(header: str | None) -> None:
    assert parse_range(header, SIZE) is None


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-1000", "bytes=1001-2000", "bytes=-0", "bytes=-00"])
def test_a_range_behind_the_end_is_refused(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        parse_range(header, SIZE)


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-0", "bytes=-1", "bytes=5-"])
def test_an_empty_file_has_no_range(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        parse_range(header, 0)


@pytest.mark.parametrize(("length", "last"), [(1, 10), (5, 14), (90, 99), (91, 99), (1000, 99)])
def test_at_most_keeps_the_beginning(length: int, last: int) -> None:
    assert ByteRange(10, 99).at_most(length) == ByteRange(10, last)


def test_both_ends_count() -> None:
    assert ByteRange(3, 3).length == 1
