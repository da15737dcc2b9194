"""Child process: look at one file and say what sound is in it.

    python -m transcribe.audio.probe_child PATH --cpu-seconds=N --memory-bytes=N [--parent=PID]

Writes one JSON line: {"duration_seconds", "codec", "container", "sample_rate", "channels", "has_video",
"warnings", "clock_start_seconds"} or {"fault", "detail"}.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from transcribe.audio.child_process import ChildLimits, contain
from transcribe.audio.errors import Fault
from transcribe.audio.timeline import Move, judge_move

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.packet import Packet

    from transcribe.audio.source import Source

# Random bytes can look like one frame of mp3, hardly like three in a row that follow each other.
CONVINCING_PACKETS = 3
# A header's length is taken as wrong from this difference on, in seconds and as a share of the length:
# encoder delay and container rounding stay under 0.1 s.
STATED_TOLERANCE_SECONDS = 0.5
STATED_TOLERANCE_SHARE = 0.01


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="probe_child")
    parser.add_argument("path", type=Path)
    parser.add_argument("--cpu-seconds", type=int, required=True)
    parser.add_argument("--memory-bytes", type=int, required=True)
    parser.add_argument("--parent", type=int, default=os.getppid())
    options = parser.parse_args(arguments)
    # A probe writes nothing but to its pipe.
    limits = ChildLimits(cpu_seconds=options.cpu_seconds, memory_bytes=options.memory_bytes, file_bytes=0)
    contain(limits, options.parent)
    sys.stdout.write(json.dumps(_probe_and_report(options.path)) + "\n")
    sys.stdout.flush()
    return 0


def _probe_and_report(path: Path) -> dict[str, object]:
    from transcribe.audio.source import SourceFault, open_source  # after contain(): loads av

    try:
        return _describe(open_source(path))
    except SourceFault as error:
        return {"fault": error.fault.value, "detail": error.detail}
    except MemoryError:
        return {"fault": Fault.TOO_DEMANDING.value, "detail": "memory"}


def _describe(source: Source) -> dict[str, object]:
    measure = _Measure(source)
    measure.run()
    return {
        "duration_seconds": measure.sound_end_seconds,
        "codec": source.stream.codec_context.codec.canonical_name,
        "container": source.container.format.name,
        "sample_rate": source.stream.rate,
        "channels": source.stream.layout.nb_channels,
        "has_video": source.has_video,
        "warnings": _warnings(source, measure.sound_end_seconds, measure.file_end_seconds),
        "clock_start_seconds": source.start_seconds,
    }


class _Measure:
    """Reads every packet (cheap) and decodes only until sound has convincingly come out."""

    def __init__(self, source: Source) -> None:
        from transcribe.audio.sound import ByteClock

        longest = source.longest_packet_bytes
        self._source = source
        self._byte_clock = None if longest is None else ByteClock(longest)
        self._rebase_seconds = 0.0
        self._good_in_a_row = 0
        self._good = 0
        self._bad = 0
        self.sound_end_seconds = 0.0
        self.file_end_seconds = 0.0

    def run(self) -> None:
        """Raises SourceFault when nothing can be decoded or no recording is that long."""
        from transcribe.audio.sound import Loss, read_packets
        from transcribe.audio.source import SourceFault, require_bearable_length

        for packet in read_packets(self._source.container, self._source.container.streams):
            if isinstance(packet, Loss):
                continue
            if packet.stream_index == self._source.stream.index:
                self._take_sound(packet)
            else:
                self.file_end_seconds = max(self.file_end_seconds, self._span_seconds(packet)[1])
        if not self._convinced and (self._good == 0 or self._bad > 0):
            raise SourceFault(self._nothing_fault())
        require_bearable_length(self.sound_end_seconds)

    @property
    def _convinced(self) -> bool:
        return self._good_in_a_row >= CONVINCING_PACKETS

    def _nothing_fault(self) -> Fault:
        """Any bytes can resemble a raw stream for a moment; a container does not come about by chance."""
        return Fault.NOT_AUDIO if self._source.longest_packet_bytes else Fault.NOTHING_DECODABLE

    def _take_sound(self, packet: Packet[AudioStream]) -> None:
        lost_seconds = 0.0
        if self._byte_clock is not None and packet.size:
            self._byte_clock.good(packet)
            lost_seconds = self._byte_clock.lost_seconds
        start, end = self._span_seconds(packet)
        self._follow_clock(start + lost_seconds)
        end += lost_seconds + self._rebase_seconds
        self.sound_end_seconds = max(self.sound_end_seconds, end)
        self.file_end_seconds = max(self.file_end_seconds, end)
        if not self._convinced:
            self._try_to_decode(packet)

    def _follow_clock(self, start_seconds: float) -> None:
        """Go on counting where the file's clock starts anew (recordings that were joined)."""
        start = start_seconds + self._rebase_seconds
        move = judge_move(expected_seconds=self.sound_end_seconds, start_seconds=start, after_loss=False)
        if move is Move.REBASE:
            self._rebase_seconds += self.sound_end_seconds - start

    def _span_seconds(self, packet: Packet[AudioStream]) -> tuple[float, float]:
        """Start and end on the file's timeline; the end so far for a packet without a time."""
        start = packet.pts if packet.pts is not None else packet.dts
        if start is None:
            at = self.sound_end_seconds - self._rebase_seconds
            return at, at
        start_seconds = float(start * packet.time_base) - self._source.start_seconds
        return start_seconds, start_seconds + float((packet.duration or 0) * packet.time_base)

    def _try_to_decode(self, packet: Packet[AudioStream]) -> None:
        from av.error import FFmpegError

        try:
            samples = sum(frame.samples for frame in packet.decode())
        except MemoryError:
            raise
        except FFmpegError:
            self._bad += 1
            self._good_in_a_row = 0
            return
        # Decoders hold frames back: a packet that gives none is neither good nor bad.
        if samples:
            self._good += 1
            self._good_in_a_row += 1


def _warnings(source: Source, duration_seconds: float, file_end_seconds: float) -> list[str]:
    warnings = []
    if source.states_no_length:
        warnings.append(f"The header states no length; {duration_seconds:.1f} s of sound were found.")
    elif source.stated_seconds is not None:
        found_seconds = file_end_seconds if source.states_file_length else duration_seconds
        warnings += _stated_length_warnings(source.stated_seconds, found_seconds)
    if source.sound_tracks > 1:
        warnings.append(f"There are {source.sound_tracks} sound tracks; only the main one is used.")
    return warnings


def _stated_length_warnings(stated_seconds: float, found_seconds: float) -> list[str]:
    tolerance_seconds = max(STATED_TOLERANCE_SECONDS, STATED_TOLERANCE_SHARE * found_seconds)
    if stated_seconds > found_seconds + tolerance_seconds:
        return [
            f"The header says {stated_seconds:.1f} s, but the file ends after {found_seconds:.1f} s: "
            "it was probably cut off. What is there is used."
        ]
    if stated_seconds < found_seconds - tolerance_seconds:
        return [f"The header says {stated_seconds:.1f} s, but there are {found_seconds:.1f} s. All are used."]
    return []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
