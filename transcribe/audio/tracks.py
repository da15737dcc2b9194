"""Which sound track of a container is read. Imports av: children only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError

from transcribe.audio.errors import Fault, SourceFault
from transcribe.audio.levels import peak
from transcribe.audio.packets import Loss, read_packets
from transcribe.audio.source import has_pictures

# Quieter than an idle microphone or the dither of 16 bit (−90 dB): −80 dB below full scale.
SOUND_FROM_PEAK = 1e-4
# A track that is silent for so long while another is not is not the one to read.
LISTEN_SECONDS = 600.0
# "Stream #0:1[0x2](eng): Audio: none (apac / 0x63617061), 48000 Hz": the coding's name, and its sign in the file.
CODING = re.compile(r"Stream #0:(\d+).*?: Audio: (\w+)(?: \([^()/]*\))*(?: \((\S+) / 0x\w+\))?")
RAW_SIGN = "[1][0][0][0]"  # WAVE_FORMAT_PCM


def choose_track(container: InputContainer) -> tuple[int, str | None]:
    """The stream number of libavformat's choice (the default track, then most channels and bit rate) or,
    where that is silent or not known here, of the first that is better; and a note. Raises SourceFault.

    May read from the container: open it again before reading it from the start.
    """
    readable = [track for track in container.streams.audio if _is_known(track)]
    if not readable:
        raise _no_track_fault(container)
    best = container.streams.best("audio")
    ordered = sorted(readable, key=lambda track: (best is None or track.index != best.index, track.index))
    sounding = _sounding(container, ordered) if len(ordered) > 1 else []
    chosen = next((track for track in ordered if track.index in sounding), ordered[0])
    return chosen.index, _note(container, chosen, silent_before=chosen is not ordered[0])


def _is_known(track: AudioStream) -> bool:
    return track.codec_context is not None


def _sounding(container: InputContainer, ordered: Sequence[AudioStream]) -> set[int]:
    """The numbers of the tracks with sound in them, as far as listened; at most until the first one has."""
    sounding: set[int] = set()
    silent_seconds = 0.0
    for packet in read_packets(container, ordered):
        if isinstance(packet, Loss):
            continue
        with suppress(FFmpegError):
            if any(peak(frame) >= SOUND_FROM_PEAK for frame in packet.decode()):
                sounding.add(packet.stream.index)
        if packet.stream.index == ordered[0].index:
            silent_seconds += float((packet.duration or 0) * packet.time_base)
        if ordered[0].index in sounding or silent_seconds > LISTEN_SECONDS:
            break
    return sounding


def _note(container: InputContainer, chosen: AudioStream, *, silent_before: bool) -> str | None:
    tracks = list(container.streams.audio)
    if len(tracks) == 1:
        return None
    number = tracks.index(chosen) + 1
    unknown = [_coding(container, track) for track in tracks if not _is_known(track)]
    if unknown:
        return (
            f"There are {len(tracks)} sound tracks; track {number} is used ({', '.join(unknown)} cannot be read here)."
        )
    if silent_before:
        return f"There are {len(tracks)} sound tracks; track {number} is used, because the main one is silent."
    return f"There are {len(tracks)} sound tracks; only the main one is used."


def _coding(container: InputContainer, track: AudioStream) -> str:
    """The name of a coding, or its sign in the file where libavformat has no name for it."""
    level = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)  # below that the text is empty
    text = container.dumps_format()  # type: ignore[attr-defined]
    names = {int(number): (codec, sign) for number, codec, sign in CODING.findall(text)}
    av.logging.set_level(level)
    codec, sign = names.get(track.index, ("none", ""))
    if sign == RAW_SIGN:
        return "PCM with a sample size of 0 or one that does not exist"
    return codec if codec != "none" else sign or "without a name"


def _no_track_fault(container: InputContainer) -> SourceFault:
    codings = dict.fromkeys(_coding(container, track) for track in container.streams.audio)
    if codings:
        return SourceFault(Fault.NOTHING_DECODABLE, f"its coding, {', '.join(codings)}, is not known here")
    return SourceFault(Fault.NO_SOUND_TRACK if has_pictures(container) else Fault.NOT_AUDIO)


__all__ = ["choose_track"]
