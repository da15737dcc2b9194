"""The sound of a recording, frame by frame, past every damaged place. Imports av: children only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from av.audio.frame import AudioFrame
from av.error import FFmpegError

from transcribe.audio.packets import Loss, SoundPacket, damage_text, raise_when_out_of_memory
from transcribe.audio.source import Source
from transcribe.audio.timeline import Evidence
from transcribe.audio.walk import Walk


@dataclass(frozen=True)
class Sound:
    """A decoded frame; `start_seconds` on the file's timeline, None when the frame has no time of its own."""

    frame: AudioFrame
    start_seconds: float | None
    evidence: Evidence


class SoundReader:
    """Iterate over the Sound and Loss of a source. Decode errors become Loss; only SourceFault is raised."""

    def __init__(self, source: Source) -> None:
        self._walk = Walk(source)

    def __iter__(self) -> Iterator[Sound | Loss]:
        for packet in self._walk:
            if isinstance(packet, Loss):
                yield packet
            else:
                yield from self._decoded(packet)

    def _decoded(self, packet: SoundPacket) -> Iterator[Sound | Loss]:
        try:
            frames = packet.decode()
        except FFmpegError as error:
            raise_when_out_of_memory(error)
            self._walk.follow(packet, readable=False)
            yield Loss(damage_text(error), self._walk.span_seconds(packet)[1])
            return
        evidence = self._walk.follow(packet, sounds=bool(frames))
        for frame in frames:
            yield Sound(frame, None if frame.time is None else self._walk.on_timeline(frame.time), evidence)


__all__ = ["Sound", "SoundReader"]
