"""A stretch of an open file as a file of its own, with some places hidden."""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

# Bytes [start, end) of a file.
ByteRange = tuple[int, int]


class ByteView(io.RawIOBase):
    """Reads by position, so that several views of one descriptor do not disturb each other."""

    name = "recording"

    def __init__(self, descriptor: int, shown: Sequence[ByteRange]) -> None:
        self._descriptor = descriptor
        self._shown = [(start, end) for start, end in shown if end > start]
        self._offsets = list(accumulate((end - start for start, end in self._shown), initial=0))
        self._at = 0

    @property
    def size(self) -> int:
        return self._offsets[-1]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """As many bytes as lie together; none only at the end."""
        left = self.size - self._at
        if left <= 0:
            return 0
        number = bisect_right(self._offsets, self._at) - 1
        start, end = self._shown[number]
        position = start + self._at - self._offsets[number]
        block = os.pread(self._descriptor, min(end - position, len(buffer)), position)
        buffer[: len(block)] = block
        self._at += len(block)
        return len(block)


def without(whole: ByteRange, hidden: Sequence[ByteRange]) -> list[ByteRange]:
    """What is left of `whole`; `hidden` may overlap and come in any order."""
    left, at = [], whole[0]
    for start, end in sorted(hidden):
        if start > at:
            left.append((at, min(start, whole[1])))
        at = max(at, end)
    return [*left, (at, whole[1])] if at < whole[1] else left


__all__ = ["ByteRange", "ByteView", "without"]
