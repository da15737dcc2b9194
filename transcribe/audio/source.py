"""Open a sound or video file for reading, with everything shut that a hostile file could use. Imports av:
children only.

Shut: every protocol (libav sees one open descriptor), every format but those listed (playlists, concat scripts,
SDP, devices, images can name other files and hosts), every decoder but those of sound (a video's pictures are
never decoded).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Discard

from transcribe.audio.byte_view import ByteView
from transcribe.audio.errors import Fault, SourceFault
from transcribe.audio.timeline import LONGEST_SOUND_SECONDS
from transcribe.audio.wav_header import WavClaim, wav_claim

# libavformat's demuxer names (av.formats_available), self-contained files only. A raw format that is known
# only by its file name ("sln", "g722") is left out: any garbage would pass as sound.
FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dss,dts,dtshd,dv,eac3,flac,flv,gsm,gxf,iff,ircam,loas,matroska,mlp,mov,"
    "mp3,mpc,mpc8,mpeg,mpegts,mxf,nistsphere,nut,ogg,oma,qcp,rm,sox,tak,truehd,tta,voc,w64,wav,wtv,wv,xwma"
)
# Formats whose packets carry no clock of their own: libavformat adds up packet durations, so lost bytes
# lose time. The number is the longest packet a whole frame can fill (mp3: MPEG-2.5 layer II at 160 kbit/s
# and 8 kHz; AAC: 13 bits of ADTS frame length; AC-3: ETSI TS 102 366; DTS: 14 bits of frame size).
LONGEST_PACKET_BYTES = {"mp3": 2881, "aac": 8191, "loas": 8191, "ac3": 3840, "eac3": 4096, "dts": 16384}
# One track's length stands in the header of these, so the other tracks need not be read at all.
FORMATS_WITH_TRACK_LENGTHS = ("mov",)
# No header states these files' length: libavformat reckons it from the last times or the bytes.
FORMATS_WITHOUT_LENGTH = (
    "aac",
    "ac3",
    "amr",
    "dts",
    "dv",
    "eac3",
    "gsm",
    "loas",
    "mlp",
    "mpeg",
    "mpegts",
    "ogg",
    "truehd",
)
# Broadcasts: what was cut or joined shows as a jump of the clock.
FORMATS_WHOSE_CLOCK_MAY_JUMP = ("mpeg", "mpegts")
# PyAV hands libav's messages to this logger; without a handler Python would print them to stderr.
logging.getLogger("libav").addHandler(logging.NullHandler())
ESTIMATED_LENGTH_LOG = "Estimating duration from bitrate"
INDEX_MISSING_LOG = "moov atom not found"
RECOGNISED_LOG = re.compile(r"Format (\S+) probed with")
READ_BYTES = 1 << 16


@dataclass(frozen=True)
class Opened:
    """A container, what libav said about it, and what its header claims if it is a wav."""

    container: InputContainer
    logs: str
    wav: WavClaim | None


@dataclass(frozen=True, kw_only=True)
class Source:
    """An open recording and the sound track chosen in it.

    `start_seconds`: the file's own zero, subtracted from every time (as the ffmpeg command does without
    -copyts). `stated_seconds`: where the header says that it ends, counted from there; None when it does not
    or libavformat only guesses it. `states_file_length`: the claim is about the whole file, pictures
    included, not about the sound track. `longest_packet_bytes`: see LONGEST_PACKET_BYTES; None when the
    packets carry a clock.
    """

    container: InputContainer
    stream: AudioStream
    start_seconds: float
    stated_seconds: float | None
    wav: WavClaim | None
    states_file_length: bool
    clock_may_jump: bool
    longest_packet_bytes: int | None


def open_source(opened: Opened, stream: AudioStream) -> Source:
    """What is known of `stream`, the chosen track."""
    container = opened.container
    name = short_name(container)
    for other in container.streams:
        if other is not stream and name in FORMATS_WITH_TRACK_LENGTHS:
            other.discard = Discard.all
    stream.codec_context.thread_count = 1
    return Source(
        container=container,
        stream=stream,
        start_seconds=(container.start_time or 0) / av.time_base,
        stated_seconds=_stated_seconds(container, stream, opened.logs),
        wav=opened.wav,
        states_file_length=name not in FORMATS_WITH_TRACK_LENGTHS,
        clock_may_jump=name in FORMATS_WHOSE_CLOCK_MAY_JUMP,
        longest_packet_bytes=LONGEST_PACKET_BYTES.get(name),
    )


def require_bearable_length(seconds: float) -> None:
    """Raises SourceFault for sound longer than any recording is."""
    if seconds > LONGEST_SOUND_SECONDS:
        raise SourceFault(Fault.TOO_DEMANDING, f"longer than {LONGEST_SOUND_SECONDS / 3600:.0f} h")


def open_container(view: ByteView) -> Opened:
    """Raises SourceFault."""
    wav = wav_claim(view, view.size)
    options = {
        "protocol_whitelist": "none",
        "format_whitelist": FORMATS,
        "codec_whitelist": _sound_decoders(),
    }
    if wav is not None and (wav.understated or wav.share is None):
        options["ignore_length"] = "1"
    try:
        with _listening(av.logging.WARNING) as captured:
            container = _open(view, options)
    except MemoryError as error:
        raise SourceFault(Fault.TOO_DEMANDING, "memory") from error
    except (FFmpegError, ValueError) as error:
        raise _opening_fault(view, options) from error
    return Opened(container, _joined(captured), wav)


def _open(view: ByteView, options: dict[str, str]) -> InputContainer:
    view.seek(0)
    return av.open(view, mode="r", options=options, metadata_errors="replace", buffer_size=READ_BYTES)


def _opening_fault(view: ByteView, options: dict[str, str]) -> SourceFault:
    """Fail once more, for what libav says on the way."""
    with _listening(av.logging.DEBUG) as captured, suppress(FFmpegError, ValueError):
        _open(view, options)
    logs = _joined(captured)
    if INDEX_MISSING_LOG in logs:
        return SourceFault(Fault.CUT_OFF)
    recognised = RECOGNISED_LOG.search(logs)
    return SourceFault(Fault.NOT_AUDIO, f"it looks like {recognised[1].removesuffix('_pipe')}" if recognised else "")


@contextmanager
def _listening(level: int) -> Iterator[list[tuple[int, str, str]]]:
    """What libav says; afterwards only its errors count: their text becomes the reason of a broken stretch."""
    av.logging.set_level(level)
    try:
        with av.logging.Capture(local=False) as captured:
            yield captured
    finally:
        av.logging.set_level(av.logging.ERROR)


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


def has_pictures(container: InputContainer) -> bool:
    """A moving picture; the cover of an album is none."""
    return any(not stream.disposition & stream.disposition.attached_pic for stream in container.streams.video)


def short_name(container: InputContainer) -> str:
    return container.format.name.partition(",")[0]


def _stated_seconds(container: InputContainer, stream: AudioStream, logs: str) -> float | None:
    name, start_seconds = short_name(container), (container.start_time or 0) / av.time_base
    if name in FORMATS_WITHOUT_LENGTH or ESTIMATED_LENGTH_LOG in logs:
        return None
    if name in FORMATS_WITH_TRACK_LENGTHS and stream.duration and stream.time_base:
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base) - start_seconds
    if container.duration is None:
        return None
    # Matroska counts from the clock's zero, which need not be the file's.
    return container.duration / av.time_base - (start_seconds if name == "matroska" else 0.0)


__all__ = ["Opened", "Source", "has_pictures", "open_container", "open_source", "require_bearable_length", "short_name"]
