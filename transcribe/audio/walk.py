"""Walk through the chosen track of one recording: when its packets sound, and what speaks for the gaps between.

Probe and preparation take the same walk, so that the length told at upload is the length read. Imports av:
children only.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from transcribe.audio.packets import Loss, SoundPacket, duration_seconds, read_packets
from transcribe.audio.source import Source
from transcribe.audio.timeline import Evidence


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
            self._lose(skipped + excess, duration_seconds(packet))
            return
        self._lose(skipped, 0.0)
        self._good_bytes += packet.size
        self._good_seconds += duration_seconds(packet)

    def bad(self, packet: SoundPacket) -> None:
        self._lose(self._skipped_bytes(packet) + packet.size, duration_seconds(packet))

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


class Walk:
    """Iterate over a source's packets and losses; `follow` each packet once it is known whether it can be read.

    Times are counted from the file's own zero. `end_seconds`: how far the clock of the sound came;
    `file_end_seconds`: that of any track.
    """

    def __init__(self, source: Source) -> None:
        longest = source.longest_packet_bytes
        self._source = source
        self._byte_clock = None if longest is None else ByteClock(longest)
        self._others: set[int] = set()  # whole seconds for which other tracks hold something
        self._clock_seconds = 0.0
        self._first_position: int | None = None
        self._last_position = self._position = 0  # of the last packet that sounded, of the newest one
        self.end_seconds = 0.0
        self.file_end_seconds = 0.0

    def __iter__(self) -> Iterator[SoundPacket | Loss]:
        for packet in read_packets(self._source.container, self._source.container.streams):
            if isinstance(packet, Loss) or packet.stream.index == self._source.stream.index:
                yield packet
            elif packet.pts is not None:
                at = float(packet.pts * packet.time_base) - self._source.start_seconds
                self._others.add(int(at))
                self.file_end_seconds = max(self.file_end_seconds, at + duration_seconds(packet))

    def follow(self, packet: SoundPacket, *, readable: bool = True, sounds: bool = True) -> Evidence:
        """Take the packet into account; what speaks for a gap between it and the last one that sounded."""
        if self._byte_clock is not None and packet.size:
            (self._byte_clock.good if readable else self._byte_clock.bad)(packet)
        start_seconds, end_seconds = self.span_seconds(packet)
        evidence = self._evidence(packet, start_seconds)
        if not (readable and sounds):
            return evidence
        self._others.clear()
        self._last_position = max(self._last_position, self._position)
        if end_seconds is not None:
            self._clock_seconds = end_seconds
            self.end_seconds = max(self.end_seconds, end_seconds)
            self.file_end_seconds = max(self.file_end_seconds, end_seconds)
        return evidence

    def span_seconds(self, packet: SoundPacket) -> tuple[float | None, float | None]:
        """When the packet sounds, without what its decoder will leave out (encoder delay, padding)."""
        start = packet.pts if packet.pts is not None else packet.dts
        if start is None:
            return None, None
        begin_seconds, end_seconds = skipped_seconds(packet)
        at = self.on_timeline(float(start * packet.time_base))
        return at + begin_seconds, at + max(begin_seconds, duration_seconds(packet) - end_seconds)

    def on_timeline(self, clock_seconds: float) -> float:
        lost = 0.0 if self._byte_clock is None else self._byte_clock.lost_seconds
        return clock_seconds - self._source.start_seconds + lost

    def _evidence(self, packet: SoundPacket, start_seconds: float | None) -> Evidence:
        before, stated = self._clock_seconds, self._source.stated_seconds
        until = before if start_seconds is None else start_seconds
        return Evidence(
            others_seconds=sum(before - 1 < second <= until for second in self._others),
            lost_bytes_seconds=self._skipped_bytes_seconds(packet),
            stated_seconds_left=None if stated is None else stated - before,
            clock_may_jump=self._source.clock_may_jump,
        )

    def _skipped_bytes_seconds(self, packet: SoundPacket) -> float:
        """The bytes since the last packet that sounded, at the file's bytes per second so far.

        Of several packets from one place, only the first states it.
        """
        if packet.pos is not None:
            self._position = packet.pos
        if self._first_position is None:
            self._first_position = self._last_position = self._position
        past_bytes = self._last_position - self._first_position
        if past_bytes <= 0:
            return 0.0
        return max(0, self._position - self._last_position) * self.end_seconds / past_bytes


def skipped_seconds(packet: SoundPacket) -> tuple[float, float]:
    """What its decoder leaves out at the packet's begin and end (libavcodec: AV_PKT_DATA_SKIP_SAMPLES)."""
    rate = packet.stream.rate
    if not rate or not packet.has_sidedata("skip_samples"):
        return 0.0, 0.0
    at_begin, at_end = struct.unpack_from("<II", bytes(packet.get_sidedata("skip_samples")))
    return at_begin / rate, at_end / rate


__all__ = ["Walk"]
