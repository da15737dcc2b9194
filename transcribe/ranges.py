"""HTTP byte ranges (RFC 9110, section 14), as far as an audio player needs them: one range at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass

# No file has a position of more than 18 digits, and Python refuses to convert numbers of thousands.
RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class ByteRange:
    """`first` and `last` are both part of it."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1

    def at_most(self, length: int) -> ByteRange:
        return ByteRange(self.first, min(self.last, self.first + length - 1))


class RangeNotSatisfiable(Exception):
    """The range begins after the end of the file."""


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """The range asked for, cut to the file; None when the whole file is the answer.

    A header that is malformed, or asks for several ranges, is ignored, as the RFC allows.

    Raises:
        RangeNotSatisfiable: the answer is 416.
    """
    found = RANGE.fullmatch(header or "")
    if found is None:
        return None
    first, last = found.groups()
    if first and last and int(last) < int(first):
        return None  # malformed
    if first:
        return _from_first(int(first), int(last) if last else size - 1, size)
    return _suffix(int(last), size) if last else None


def _from_first(first: int, last: int, size: int) -> ByteRange:
    if first >= size:
        raise RangeNotSatisfiable
    return ByteRange(first, min(last, size - 1))


def _suffix(length: int, size: int) -> ByteRange:
    """The last `length` bytes."""
    if length == 0 or size == 0:
        raise RangeNotSatisfiable
    return ByteRange(max(0, size - length), size - 1)
