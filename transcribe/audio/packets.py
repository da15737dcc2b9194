"""Read the packets of a container, past every damaged place. Imports av: children only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream

from transcribe.audio.errors import Fault, SourceFault

# A reader that fails this often in a row without giving one packet is at the end of what it can find.
MAX_READ_FAILURES_IN_A_ROW = 1000
# av's classes are generic in its stubs only.
SoundPacket: TypeAlias = "Packet[AudioStream]"


@dataclass(frozen=True)
class Loss:
    """Something that could not be read; `end_seconds` is where it ends as far as known, None when unknown."""

    reason: str
    end_seconds: float | None


def read_packets(container: InputContainer, streams: Iterable[Stream]) -> Iterator[SoundPacket | Loss]:
    """Yield the packets of `streams`, past every damaged place; the last are empty and flush the decoder.

    Ask a packet for its `stream`: the `stream_index` of the last ones is 0.
    """
    failures = 0
    while failures < MAX_READ_FAILURES_IN_A_ROW:
        try:
            for packet in container.demux(*streams):
                failures = 0
                yield cast("SoundPacket", packet)
        except FFmpegError as error:
            raise_when_out_of_memory(error)
            failures += 1
            yield Loss(damage_text(error), None)
        else:
            return


def duration_seconds(packet: SoundPacket) -> float:
    return float((packet.duration or 0) * packet.time_base)


def raise_when_out_of_memory(error: FFmpegError) -> None:
    if isinstance(error, MemoryError):
        raise SourceFault(Fault.TOO_DEMANDING, "memory") from error


def damage_text(error: FFmpegError) -> str:
    """The decoder's own words where it left any, else libav's text for the error."""
    # PyAV 18.1: (level, source, words) or None; its stub says otherwise.
    log: Any = error.log
    words = log[2].strip() if log else error.strerror
    return f"damaged data: {words}"


__all__ = ["Loss", "SoundPacket", "damage_text", "duration_seconds", "raise_when_out_of_memory", "read_packets"]
