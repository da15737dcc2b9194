"""Where recordings begin that were joined byte by byte: FFmpeg stops at the first one's declared end."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence

from transcribe.audio.byte_view import ByteRange

BLOCK_BYTES = 1 << 20
# The longest beginning below, EBML's, fits twice.
OVERLAP_BYTES = 128
# The tracks of one ogg each begin with a page of their own, side by side.
SHORTEST_RECORDING_BYTES = 512
# How files begin whose format cannot be followed past a join (mpegts, mp3 and aac can), each so that chance
# does not make one in terabytes.
BEGINNINGS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        rb"OggS\x00[\x02\x06]\x00{8}",
        rb"RIFF.{4}WAVE[A-Za-z][ -~]{3}",
        rb"RF64.{4}WAVEds64",
        rb"RIFF.{4}AVI LIST",
        rb"FORM.{4}AIF[FC](?:COMM|FVER|COMT|NAME|ANNO|AUTH|SSND|ID3 )",
        rb"caff\x00\x01\x00[\x00\x01]desc",
        rb"fLaC[\x00\x80]\x00\x00\x22",
        rb"FLV\x01[\x00-\x05]\x00\x00\x00\x09\x00\x00\x00\x00",
        rb"\x00\x00\x00[\x10-\x60]ftyp[ -~]{4}",
        rb"\x1aE\xdf\xa3.{1,60}?B\x82.(?:webm|matroska)",
        rb"TTA1[\x01\x02]\x00",
        rb"Creative Voice File\x1a",
        rb"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00",
        rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c",
        rb"#!AMR(?:-WB)?\n",
        rb"\.snd\x00\x00[\x00-\x0f].{5}\x00\x00\x00[\x01-\x1b]",
        rb"nut/multimedia container\x00",
        rb"\.RMF\x00\x00\x00[\x10\x12]",
    )
)


def walk_bytes(descriptor: int, on_block: Callable[[], None], *, hashed: bool) -> tuple[list[ByteRange], str]:
    """The file's recordings, and its SHA-256 (empty unless `hashed`). `on_block`: called every 1 MiB."""
    digest = hashlib.sha256()
    beginning = _own_beginning(os.pread(descriptor, OVERLAP_BYTES, 0))
    starts, at, tail = {0}, 0, b""
    while block := os.pread(descriptor, BLOCK_BYTES, at):
        if hashed:
            digest.update(block)
        if beginning is not None:
            starts |= {at - len(tail) + match.start() for match in beginning.finditer(tail + block)}
        at += len(block)
        tail = block[-OVERLAP_BYTES:]
        on_block()
    ordered = _apart(sorted(starts))
    return list(zip(ordered, [*ordered[1:], at], strict=True)), digest.hexdigest() if hashed else ""


def _apart(starts: Sequence[int]) -> list[int]:
    near = zip([-SHORTEST_RECORDING_BYTES, *starts], starts, strict=False)
    return [start for before, start in near if start - before >= SHORTEST_RECORDING_BYTES]


def _own_beginning(head: bytes) -> re.Pattern[bytes] | None:
    return next((beginning for beginning in BEGINNINGS if beginning.match(head)), None)


__all__ = ["walk_bytes"]
