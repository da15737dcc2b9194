"""What a wav header says about the bytes of its sound, and whether that can be true.

Recorders that lose power and programs that write to a pipe leave 0, 0xFFFFFFFF or another number there that
the file never reaches. libavformat then reads to the end of the file, but stops early when it is too small.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from transcribe.audio.byte_view import ByteView

# libavformat/wavdec.c treats 0 as "until the end of the file"; writers to pipes state about 2 or 4 GiB.
UNSTATED_FROM_BYTES = 0x7FFF_0000
WHOLE_FILES = (b"RIFF", b"RF64", b"FORM")  # another recording, not a chunk of this one
CHUNK_HEADER_BYTES = 8
# A real file has a handful of chunks before the sound; more is nonsense not worth walking through.
MAX_CHUNKS_WALKED = 100


@dataclass(frozen=True, kw_only=True)
class WavClaim:
    """`share`: the bytes of sound stated, by those that are there; None when the header states none.

    Bytes are compared, not seconds: the rate of bytes in a header may be as wrong as the length.
    """

    share: float | None
    understated: bool


def wav_claim(file: ByteView, file_bytes: int) -> WavClaim | None:
    """Read the header of a RIFF wav; None for anything else (RF64 keeps its length elsewhere)."""
    start = file.read(12)
    if len(start) < 12 or start[:4] != b"RIFF" or start[8:12] != b"WAVE":
        return None
    for _ in range(MAX_CHUNKS_WALKED):
        header = file.read(CHUNK_HEADER_BYTES)
        if len(header) < CHUNK_HEADER_BYTES:
            return None
        name, size = struct.unpack("<4sI", header)
        if name == b"data":
            return _judge(file, size, file_bytes)
        file.seek(size + size % 2, 1)
    return None


def _judge(file: ByteView, size: int, file_bytes: int) -> WavClaim:
    there = file_bytes - file.tell()
    if size == 0 or size >= max(UNSTATED_FROM_BYTES, there + 1):
        return WavClaim(share=None, understated=False)
    stated_end = file.tell() + size + size % 2
    more_follows = stated_end + CHUNK_HEADER_BYTES <= file_bytes
    understated = more_follows and not _chunk_at(file, stated_end, file_bytes)
    # With other chunks behind it, what is there of the sound is what is stated.
    is_whole = not understated and size <= there
    return WavClaim(share=1.0 if is_whole else size / max(1, there), understated=understated)


def _chunk_at(file: ByteView, position: int, file_bytes: int) -> bool:
    """Whether a chunk (tags, cue points …) begins there: four printable letters and a size that fits."""
    file.seek(position)
    name, size = struct.unpack("<4sI", file.read(CHUNK_HEADER_BYTES))
    printable = all(0x20 <= byte < 0x7F for byte in name) and name not in WHOLE_FILES
    return printable and position + CHUNK_HEADER_BYTES + size <= file_bytes + 1


__all__ = ["WavClaim", "wav_claim"]
