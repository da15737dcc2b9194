"""What a wav header says about its length, and whether that can be true.

Recorders that lose power and programs that write to a pipe leave 0, 0xFFFFFFFF or a stale number there.
libavformat reads to the end of the file when the number is 0, 0xFFFFFFFF or too large, but stops early when
it is too small.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

# libavformat/wavdec.c treats both as "until the end of the file".
UNSTATED_SIZES = (0, 0xFFFF_FFFF)
CHUNK_HEADER_BYTES = 8
# A real file has a handful of chunks before the sound; more is nonsense not worth walking through.
MAX_CHUNKS_WALKED = 100


@dataclass(frozen=True, kw_only=True)
class WavLength:
    """`stated_seconds`: None when the header states none. `understated`: sound goes on after its end."""

    stated_seconds: float | None
    understated: bool


def wav_length(path: Path) -> WavLength | None:
    """Read the header of a RIFF wav; None for anything else (RF64 keeps its length elsewhere)."""
    with path.open("rb") as file:
        start = file.read(12)
        if len(start) < 12 or start[:4] != b"RIFF" or start[8:12] != b"WAVE":
            return None
        return _length_from_chunks(file, path.stat().st_size)


def _length_from_chunks(file: BinaryIO, file_bytes: int) -> WavLength | None:
    bytes_per_second = 0
    for _ in range(MAX_CHUNKS_WALKED):
        header = file.read(CHUNK_HEADER_BYTES)
        if len(header) < CHUNK_HEADER_BYTES:
            return None
        name, size = struct.unpack("<4sI", header)
        if name == b"data":
            return _judge(file, size, bytes_per_second, file_bytes)
        body_start = file.tell()
        if name == b"fmt ":
            bytes_per_second = _byte_rate(file.read(12))
        file.seek(body_start + size + size % 2)
    return None


def _byte_rate(format_chunk: bytes) -> int:
    """nAvgBytesPerSec of WAVEFORMAT, 0 when the chunk is too short to hold it."""
    return int.from_bytes(format_chunk[8:12], "little") if len(format_chunk) >= 12 else 0


def _judge(file: BinaryIO, size: int, bytes_per_second: int, file_bytes: int) -> WavLength | None:
    if bytes_per_second == 0:
        return None
    if size in UNSTATED_SIZES:
        return WavLength(stated_seconds=None, understated=False)
    stated_end = file.tell() + size + size % 2
    more_follows = stated_end + CHUNK_HEADER_BYTES <= file_bytes
    return WavLength(
        stated_seconds=size / bytes_per_second,
        understated=more_follows and not _chunk_at(file, stated_end, file_bytes),
    )


def _chunk_at(file: BinaryIO, position: int, file_bytes: int) -> bool:
    """Whether a chunk (tags, cue points …) begins there: four printable letters and a size that fits."""
    file.seek(position)
    name, size = struct.unpack("<4sI", file.read(CHUNK_HEADER_BYTES))
    printable = all(0x20 <= byte < 0x7F for byte in name)
    return printable and position + CHUNK_HEADER_BYTES + size <= file_bytes + 1


__all__ = ["WavLength", "wav_length"]
