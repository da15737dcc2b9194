"""Open a sound or video file for reading, with everything shut that a hostile file could use. Imports av:
children only.

Shut: every protocol but the local file, every format but those listed (playlists, concat scripts, SDP,
devices, images can name other files and hosts), every decoder but those of sound (a video's pictures are
never decoded).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Discard

from transcribe.audio.errors import Fault
from transcribe.audio.timeline import LONGEST_SOUND_SECONDS
from transcribe.audio.wav_header import WavLength, wav_length

# libavformat's demuxer names (av.formats_available), self-contained files only. A raw format that is known
# only by its file name ("sln", "g722") is left out: any garbage would pass as sound.
FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dss,dts,eac3,flac,flv,loas,matroska,mov,mp3,mpc,mpc8,mpeg,mpegts,nistsphere,"
    "nut,ogg,oma,qcp,sox,tak,tta,voc,w64,wav,wv,xwma"
)
# Formats whose packets carry no clock of their own: libavformat adds up packet durations, so lost bytes
# lose time. The number is the longest packet a whole frame can fill (mp3: MPEG-2.5 layer II at 160 kbit/s
# and 8 kHz; AAC: 13 bits of ADTS frame length; AC-3: ETSI TS 102 366; DTS: 14 bits of frame size).
LONGEST_PACKET_BYTES = {"mp3": 2881, "aac": 8191, "loas": 8191, "ac3": 3840, "eac3": 4096, "dts": 16384}
# One track's length stands in the header of these, so the other tracks need not be read at all.
FORMATS_WITH_TRACK_LENGTHS = ("mov",)
# PyAV hands libav's messages to this logger; without a handler Python would print them to stderr.
logging.getLogger("libav").addHandler(logging.NullHandler())
ESTIMATED_LENGTH_LOG = "Estimating duration from bitrate"
INDEX_MISSING_LOG = "moov atom not found"


class SourceFault(Exception):
    """A file cannot be read: `fault` and a technical `detail` (may be empty)."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(fault, detail)
        self.fault = fault
        self.detail = detail


@dataclass(frozen=True, kw_only=True)
class Source:
    """An open file and the sound track chosen in it.

    `start_seconds`: the file's own zero, subtracted from every time (as the ffmpeg command does without
    -copyts). `stated_seconds`: the length the header claims; None when it claims none or libavformat only
    guesses it. `states_file_length`: the claim is about the whole file, pictures included, not about the
    sound track. `longest_packet_bytes`: see LONGEST_PACKET_BYTES; None when the packets carry a clock.
    """

    container: InputContainer
    stream: AudioStream
    start_seconds: float
    stated_seconds: float | None
    states_no_length: bool
    states_file_length: bool
    longest_packet_bytes: int | None
    has_video: bool
    sound_tracks: int


def open_source(path: Path) -> Source:
    """Open `path` (absolute) and choose its best sound track. Raises SourceFault."""
    _look_at(path)
    wav = wav_length(path)
    container, logs = _open_container(path, wav)
    stream = _best_sound(container)
    for other in container.streams:
        if other is not stream and _short_name(container) in FORMATS_WITH_TRACK_LENGTHS:
            other.discard = Discard.all
    stream.codec_context.thread_count = 1
    return Source(
        container=container,
        stream=stream,
        start_seconds=(container.start_time or 0) / av.time_base,
        stated_seconds=_stated_seconds(container, stream, wav, logs),
        states_no_length=wav is not None and wav.stated_seconds is None,
        states_file_length=_short_name(container) not in FORMATS_WITH_TRACK_LENGTHS,
        longest_packet_bytes=LONGEST_PACKET_BYTES.get(_short_name(container)),
        has_video=_has_pictures(container),
        sound_tracks=len(container.streams.audio),
    )


def require_bearable_length(seconds: float) -> None:
    """Raises SourceFault for sound longer than any recording is."""
    if seconds > LONGEST_SOUND_SECONDS:
        raise SourceFault(Fault.TOO_DEMANDING, f"longer than {LONGEST_SOUND_SECONDS / 3600:.0f} h")


def _look_at(path: Path) -> None:
    try:
        status = path.stat()
    except OSError as error:
        raise SourceFault(Fault.UNREADABLE, error.strerror or "") from error
    if not path.is_file():
        raise SourceFault(Fault.UNREADABLE, "not a regular file")
    if status.st_size == 0:
        raise SourceFault(Fault.EMPTY)


def _open_container(path: Path, wav: WavLength | None) -> tuple[InputContainer, str]:
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": FORMATS,
        "codec_whitelist": _sound_decoders(),
    }
    if wav is not None and wav.understated:
        options["ignore_length"] = "1"
    av.logging.set_level(av.logging.WARNING)
    with av.logging.Capture(local=False) as captured:
        try:
            # "file:" keeps a colon in the name from being read as a protocol.
            container = av.open(f"file:{path}", mode="r", options=options, metadata_errors="replace")
        except MemoryError as error:
            raise SourceFault(Fault.TOO_DEMANDING, "memory") from error
        except (FFmpegError, ValueError) as error:
            raise _opening_fault(error, _joined(captured)) from error
        logs = _joined(captured)
    # From here on only errors: their text becomes the reason of a broken stretch.
    av.logging.set_level(av.logging.ERROR)
    return container, logs


def _opening_fault(error: Exception, logs: str) -> SourceFault:
    if isinstance(error, PermissionError | FileNotFoundError):
        return SourceFault(Fault.UNREADABLE, error.strerror or "")
    if INDEX_MISSING_LOG in logs:
        return SourceFault(Fault.CUT_OFF)
    return SourceFault(Fault.NOT_AUDIO)


def _joined(captured: list[tuple[int, str, str]]) -> str:
    return "\n".join(message for _, _, message in captured)


def _sound_decoders() -> str:
    """Every sound decoder of this build, comma separated as codec_whitelist wants it (1.6 ms to build)."""
    return ",".join(name for name in sorted(av.codecs_available) if _decodes_sound(name))


def _decodes_sound(name: str) -> bool:
    try:
        return av.Codec(name, "r").type == "audio"
    except av.codec.codec.UnknownCodecError:
        return False  # an encoder only


def _best_sound(container: InputContainer) -> AudioStream:
    """libavformat's choice: the default track, then the one with most channels and bit rate."""
    stream = container.streams.best("audio")
    if isinstance(stream, AudioStream):
        return stream
    if container.streams.audio:
        raise SourceFault(Fault.NOTHING_DECODABLE, "its encoding is not known here")
    if _has_pictures(container):
        raise SourceFault(Fault.NO_SOUND_TRACK)
    raise SourceFault(Fault.NOT_AUDIO)


def _has_pictures(container: InputContainer) -> bool:
    """A moving picture; the cover of an album is none."""
    return any(not stream.disposition & stream.disposition.attached_pic for stream in container.streams.video)


def _short_name(container: InputContainer) -> str:
    return container.format.name.partition(",")[0]


def _stated_seconds(container: InputContainer, stream: AudioStream, wav: WavLength | None, logs: str) -> float | None:
    if wav is not None:
        return wav.stated_seconds
    if ESTIMATED_LENGTH_LOG in logs:
        return None
    if _short_name(container) in FORMATS_WITH_TRACK_LENGTHS and stream.duration and stream.time_base:
        end = (stream.start_time or 0) + stream.duration
        return float(end * stream.time_base) - (container.start_time or 0) / av.time_base
    return None if container.duration is None else container.duration / av.time_base


__all__ = ["Source", "SourceFault", "open_source", "require_bearable_length"]
