"""Read the sound of a source, frame by frame, past every damaged place. Imports av: children only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream

from transcribe.audio.errors import Fault
from transcribe.audio.source import Source, SourceFault

# A reader that fails this often in a row without giving one packet is at the end of what it can find.
MAX_READ_FAILURES_IN_A_ROW = 1000
# av's classes are generic in its stubs only.
SoundPacket: TypeAlias = "Packet[AudioStream]"


@dataclass(frozen=True)
class Sound:
    """A decoded frame; `start_seconds` on the file's timeline, None when the frame has no time of its own."""

    frame: AudioFrame
    start_seconds: float | None


@dataclass(frozen=True)
class Loss:
    """Something that could not be read; `end_seconds` is where it ends as far as known, None when unknown."""

    reason: str
    end_seconds: float | None


class ByteClock:
    """Time lost with unreadable bytes, for formats whose packets carry no clock.

    Such a reader counts a packet of garbage as one frame, however long it is. The true length follows from
    its bytes and the bytes per second of what was readable so far.
    """

    def __init__(self, longest_packet_bytes: int) -> None:
        self._longest_packet_bytes = longest_packet_bytes
        self._good_bytes = 0
        self._good_seconds = 0.0
        self._next_position: int | None = None
        self.lost_seconds = 0.0

    def good(self, packet: SoundPacket) -> None:
        skipped = self._skipped_bytes(packet)
        excess = packet.size if packet.size > self._longest_packet_bytes else 0
        if excess:
            self._lose(skipped + excess, _duration_seconds(packet))
            return
        self._lose(skipped, 0.0)
        self._good_bytes += packet.size
        self._good_seconds += _duration_seconds(packet)

    def bad(self, packet: SoundPacket) -> None:
        self._lose(self._skipped_bytes(packet) + packet.size, _duration_seconds(packet))

    def _skipped_bytes(self, packet: SoundPacket) -> int:
        position, expected = packet.pos, self._next_position
        if position is None:
            return 0
        self._next_position = position + packet.size
        return max(0, position - expected) if expected is not None else 0

    def _lose(self, lost_bytes: int, counted_seconds: float) -> None:
        if self._good_bytes == 0:
            return
        seconds = lost_bytes * self._good_seconds / self._good_bytes - counted_seconds
        # Frames differ in size: one damaged frame of a variable bit rate is still one frame.
        if seconds > counted_seconds / 2:
            self.lost_seconds += seconds


def read_packets(container: InputContainer, streams: Iterable[Stream]) -> Iterator[SoundPacket | Loss]:
    """Yield the packets of `streams`, past every damaged place; the last are empty and flush the decoder."""
    failures = 0
    while failures < MAX_READ_FAILURES_IN_A_ROW:
        try:
            for packet in container.demux(*streams):
                failures = 0
                yield cast("SoundPacket", packet)
        except FFmpegError as error:
            _raise_when_out_of_memory(error)
            failures += 1
            yield Loss(_reason(error), None)
        else:
            return


class SoundReader:
    """Iterate over the Sound and Loss of a source. Decode errors become Loss; only SourceFault is raised."""

    def __init__(self, source: Source) -> None:
        self._source = source
        longest = source.longest_packet_bytes
        self._byte_clock = None if longest is None else ByteClock(longest)

    def __iter__(self) -> Iterator[Sound | Loss]:
        for packet in read_packets(self._source.container, [self._source.stream]):
            if isinstance(packet, Loss):
                yield packet
            else:
                yield from self._decoded(packet)

    def _decoded(self, packet: SoundPacket) -> Iterator[Sound | Loss]:
        try:
            frames = packet.decode()
        except FFmpegError as error:
            _raise_when_out_of_memory(error)
            if self._byte_clock is not None and packet.size:
                self._byte_clock.bad(packet)
            yield Loss(_reason(error), self._on_timeline(_end_seconds(packet)))
            return
        if self._byte_clock is not None and packet.size:
            self._byte_clock.good(packet)
        for frame in frames:
            yield Sound(frame, self._on_timeline(frame.time))

    def _on_timeline(self, seconds: float | None) -> float | None:
        if seconds is None:
            return None
        lost = 0.0 if self._byte_clock is None else self._byte_clock.lost_seconds
        return seconds - self._source.start_seconds + lost


def _duration_seconds(packet: SoundPacket) -> float:
    return float((packet.duration or 0) * packet.time_base)


def _end_seconds(packet: SoundPacket) -> float | None:
    if packet.pts is None:
        return None
    return float((packet.pts + (packet.duration or 0)) * packet.time_base)


def _raise_when_out_of_memory(error: FFmpegError) -> None:
    if isinstance(error, MemoryError):
        raise SourceFault(Fault.TOO_DEMANDING, "memory") from error


def _reason(error: FFmpegError) -> str:
    """The decoder's own words where it left any, else libav's text for the error."""
    # PyAV 18.1: (level, source, words) or None; its stub says otherwise.
    log: Any = error.log
    words = log[2].strip() if log else error.strerror
    return f"damaged data: {words}"


__all__ = ["Loss", "Sound", "SoundReader", "read_packets"]
