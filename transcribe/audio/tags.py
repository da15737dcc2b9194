"""Where tags lie in a stream of raw frames (mp3, aac …): they hold names and covers, and last no time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from transcribe.audio.byte_view import ByteRange

BLOCK_BYTES = 1 << 20
APE_BYTES, ID3V1_BYTES = 32, 128
# Lyrics3 version 1 is at most 5100 bytes, version 2 in practice as well.
LYRICS_BYTES = 1 << 20
FIRST_PRINTABLE = 0x20


def tag_ranges(descriptor: int, whole: ByteRange) -> list[ByteRange]:
    """Every tag in `whole`; they may overlap."""
    found = []
    for mark, measure in _MEASURES.items():
        for at in _places(descriptor, whole, mark):
            tag = measure(descriptor, at)
            if tag is not None:
                found.append((max(whole[0], tag[0]), min(whole[1], tag[1])))
    return found


def _places(descriptor: int, whole: ByteRange, mark: bytes) -> Iterator[int]:
    for start in range(whole[0], whole[1], BLOCK_BYTES):
        block = os.pread(descriptor, min(BLOCK_BYTES + len(mark) - 1, whole[1] - start), start)
        at = block.find(mark)
        while at >= 0:
            yield start + at
            at = block.find(mark, at + 1)


def _id3v2(descriptor: int, at: int) -> ByteRange | None:
    """https://id3.org/id3v2.4.0-structure: version, flags, four bytes of seven bits each."""
    head = os.pread(descriptor, 10, at)
    if len(head) < 10 or head[3] not in (2, 3, 4) or head[4] or head[5] & 0x0F or max(head[6:]) > 0x7F:
        return None
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return at, at + 10 + size + (10 if head[5] & 0x10 else 0)


def _ape(descriptor: int, at: int) -> ByteRange | None:
    """APEv2: the size leaves out the header, which a footer alone need not have."""
    head = os.pread(descriptor, APE_BYTES, at)
    if len(head) < APE_BYTES or any(head[24:]):
        return None
    size, flags = int.from_bytes(head[12:16], "little"), int.from_bytes(head[20:24], "little")
    if flags & 1 << 29:
        return at, at + APE_BYTES + size
    return at + APE_BYTES - size, at + APE_BYTES


def _lyrics(descriptor: int, at: int) -> ByteRange | None:
    text = os.pread(descriptor, LYRICS_BYTES, at)
    ends = [end + 9 for end in (text.find(b"LYRICSEND"), text.find(b"LYRICS200")) if end >= 0]
    return (at, at + min(ends)) if ends else None


def _id3v1(descriptor: int, at: int) -> ByteRange | None:
    """Three letters come about by chance; 124 bytes of text or nothing do not."""
    tag = os.pread(descriptor, ID3V1_BYTES, at)
    if len(tag) < ID3V1_BYTES or any(0 < byte < FIRST_PRINTABLE for byte in tag[3:125]):
        return None
    return at, at + ID3V1_BYTES


_MEASURES: dict[bytes, Callable[[int, int], ByteRange | None]] = {
    b"ID3": _id3v2,
    b"APETAGEX": _ape,
    b"LYRICSBEGIN": _lyrics,
    b"TAG": _id3v1,
}

__all__ = ["tag_ranges"]
