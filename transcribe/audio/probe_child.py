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
from transcribe.audio.errors import Fault, SourceFault
from transcribe.audio.timeline import Timeline

if TYPE_CHECKING:
    from transcribe.audio.packets import SoundPacket
    from transcribe.audio.recording import Recording
    from transcribe.audio.source import Source
    from transcribe.audio.walk import Walk

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
    from transcribe.audio.recording import open_recording  # after contain(): loads av

    try:
        with open_recording(path) as recording:
            return _describe(recording)
    except SourceFault as error:
        return {"fault": error.fault.value, "detail": error.detail}
    except MemoryError:
        return {"fault": Fault.TOO_DEMANDING.value, "detail": "memory"}


def _describe(recording: Recording) -> dict[str, object]:
    """The first part's kind of sound, the length and the warnings of all."""
    from transcribe.audio.source import has_pictures, require_bearable_length

    timeline, kinds, warnings = Timeline(), [], []
    for source in recording.parts():
        measure = _Measure(source, timeline)
        warnings += measure.run()
        require_bearable_length(timeline.end_seconds)
        kinds.append(
            {
                "codec": source.stream.codec_context.codec.canonical_name,
                "container": source.container.format.name,
                **measure.kind,
                "has_video": has_pictures(source.container),
                "clock_start_seconds": source.start_seconds,
            }
        )
    return {
        **kinds[0],
        "duration_seconds": round(timeline.end_seconds, 6),
        "warnings": list(dict.fromkeys([*warnings, *recording.notes])),
    }


class _Measure:
    """Reads every packet of a part (cheap) and decodes only until sound has convincingly come out."""

    def __init__(self, source: Source, timeline: Timeline) -> None:
        self._source = source
        self._timeline = timeline
        self._good_in_a_row = 0
        self._good = 0
        self._bad = 0
        self.kind: dict[str, int] = {}  # of the first frame: the header may not know it

    def run(self) -> list[str]:
        """Put the part on the timeline; what is wrong with its claims. Raises SourceFault when it cannot be decoded."""
        from transcribe.audio.packets import Loss
        from transcribe.audio.walk import Walk

        walk, before = Walk(self._source), self._timeline.end_seconds
        for packet in walk:
            if not isinstance(packet, Loss):
                self._take(walk, packet)
        if not self._convinced and (self._good == 0 or self._bad > 0):
            raise SourceFault(self._nothing_fault())
        self._timeline.begin_part()
        return _claim_warnings(self._source, walk, self._timeline.end_seconds - before)

    @property
    def _convinced(self) -> bool:
        return self._good_in_a_row >= CONVINCING_PACKETS

    def _nothing_fault(self) -> Fault:
        """Any bytes can resemble a raw stream for a moment; a container does not come about by chance."""
        return Fault.NOT_AUDIO if self._source.longest_packet_bytes else Fault.NOTHING_DECODABLE

    def _take(self, walk: Walk, packet: SoundPacket) -> None:
        evidence = walk.follow(packet, sounds=not packet.is_discard)
        start_seconds, end_seconds = walk.span_seconds(packet)
        if not packet.is_discard:
            self._timeline.place(start_seconds, evidence)
            self._timeline.catch_up(start_seconds)
            self._timeline.advance((end_seconds or 0.0) - (start_seconds or 0.0))
        if not self._convinced:
            self._try_to_decode(packet)

    def _try_to_decode(self, packet: SoundPacket) -> None:
        from av.error import FFmpegError

        from transcribe.audio.downmix import Downmix

        try:
            frames = packet.decode()
        except MemoryError:
            raise
        except FFmpegError:
            self._bad += 1
            self._good_in_a_row = 0
            return
        # Decoders hold frames back: a packet that gives none is neither good nor bad.
        if any(frame.samples for frame in frames):
            self.kind = self.kind or {"sample_rate": frames[0].sample_rate, "channels": frames[0].layout.nb_channels}
            Downmix(frames[0])  # what cannot be mixed down is refused now
            self._good += 1
            self._good_in_a_row += 1


def _claim_warnings(source: Source, walk: Walk, part_seconds: float) -> list[str]:
    """What the header says and the sound disproves; both are counted from the file's own zero."""
    if source.wav is not None:
        share = source.wav.share
        if share is None:
            return [f"The header states no length; {part_seconds:.1f} s of sound were found."]
        return _stated_length_warnings(share * part_seconds, part_seconds)
    if source.stated_seconds is None:
        return []
    end_seconds = walk.file_end_seconds if source.states_file_length else walk.end_seconds
    stated_seconds = source.stated_seconds - max(0.0, source.start_seconds if source.states_file_length else 0.0)
    return _stated_length_warnings(max(stated_seconds, end_seconds), end_seconds)


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
