"""Makers of real sound files, good and bad, for the tests: PyAV encodes, the rest is bytes.

The test sound is a *beacon*: in every second 0.6 s of tone, then 0.4 s of silence, so that a stretch that moved or is
missing shows at once.
"""

from __future__ import annotations

import struct
import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from numpy.typing import NDArray

TONE_SECONDS = 0.6
PCM_RATE = 16_000


def beacon(seconds: float, rate: int) -> NDArray[np.float32]:
    """The test sound, shape (seconds × rate,), peak 0.3; its pitch rises from second to second."""
    at = np.arange(round(seconds * rate)) / rate
    tone = 0.3 * np.sin(2 * np.pi * (300 + 20 * np.floor(at)) * at)
    return (tone * (at % 1 < TONE_SECONDS)).astype(np.float32)


def write_wav(
    path: Path, sound: NDArray[np.float32], rate: int = PCM_RATE, channels: int = 1, sounding: int | None = None
) -> Path:
    """16 bit PCM; `sounding`: only that channel carries the sound, the others are silent."""
    samples = np.repeat((sound * 32767).astype("<i2")[:, None], channels, axis=1)
    if sounding is not None:
        samples[:, [channel for channel in range(channels) if channel != sounding]] = 0
    with wave.open(str(path), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.tobytes())
    return path


def write_hours(path: Path, hours: int) -> Path:
    """A WAV that takes seconds to decode: 8 kHz, so that it has to be resampled; 58 MB for each hour."""
    minute = (beacon(60, 8000) * 32767).astype("<i2").tobytes()
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        for _ in range(60 * hours):
            out.writeframes(minute)
    return path


def encode(
    path: Path,
    sound: NDArray[np.float32],
    rate: int,
    codec: str,
    *,
    bit_rate: int | None = None,
    options: dict[str, str] | None = None,
    video: str | None = None,
    container_format: str | None = None,
    sound_after_seconds: int = 0,
) -> Path:
    """Encode mono `sound`, with moving pictures by codec `video` if given; the name tells the container unless told."""
    with av.open(str(path), "w", format=container_format, options=options or {}) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, AudioStream)
        if bit_rate is not None:
            stream.bit_rate = bit_rate
        if video is not None:
            _encode_pictures(container, video, len(sound) / rate)
        _encode_sound(container, stream, sound, sound_after_seconds)
    return path


def write_video(path: Path, seconds: float, video: str = "mpeg4") -> Path:
    """Pictures without sound."""
    with av.open(str(path), "w") as container:
        _encode_pictures(container, video, seconds)
    return path


def _encode_pictures(container: av.container.OutputContainer, codec: str, seconds: float) -> None:
    stream = container.add_stream(codec, rate=10, width=64, height=64, pix_fmt="yuv420p")
    assert isinstance(stream, VideoStream)
    for number in range(round(seconds * 10)):
        picture = av.VideoFrame(64, 64, "yuv420p")
        picture.pts, picture.time_base = number, Fraction(1, 10)
        container.mux(stream.encode(picture))
    container.mux(stream.encode(None))


def write_wav_stating(path: Path, sound: NDArray[np.float32], data_bytes: int) -> Path:
    """A wav whose header claims `data_bytes` of sound, whatever follows."""
    content = bytearray(write_wav(path, sound).read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = struct.pack("<I", data_bytes)
    path.write_bytes(content)
    return path


def write_placed_wav(path: Path, sound: NDArray[np.float32], rate: int, channels: int, places: int) -> Path:
    """WAVE_FORMAT_EXTENSIBLE with a channel mask: `places` says where each loudspeaker stands."""
    samples = np.repeat((sound * 32767).astype("<i2")[:, None], channels, axis=1).tobytes()
    subformat = bytes.fromhex("0100000000001000800000aa00389b71")  # KSDATAFORMAT_SUBTYPE_PCM
    block = channels * 2
    head = struct.pack("<HHIIHHHHI", 0xFFFE, channels, rate, rate * block, block, 16, 22, 16, places)
    body = b"WAVE" + b"fmt " + struct.pack("<I", 40) + head + subformat
    body += b"data" + struct.pack("<I", len(samples)) + samples
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def cut_off(path: Path, share: float) -> Path:
    """Keep the first `share` of the bytes."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def garbage(length: int, seed: int = 1) -> bytes:
    return np.random.default_rng(seed).bytes(length)


def damage(path: Path, start_share: float, share: float, filling: str = "garbage") -> Path:
    """Overwrite a stretch in the middle with garbage or zeros."""
    content = bytearray(path.read_bytes())
    start, length = int(len(content) * start_share), int(len(content) * share)
    content[start : start + length] = garbage(length) if filling == "garbage" else bytes(length)
    path.write_bytes(content)
    return path


def read_pcm(path: Path) -> NDArray[np.float32]:
    """Prepared PCM as floats of −1 to 1."""
    return np.fromfile(path, dtype="<i2").astype(np.float32) / np.float32(32768)


def loud_seconds(sound: NDArray[np.float32], rate: int = PCM_RATE) -> list[float]:
    """Where each tone of a beacon begins, in seconds: the first loud step after 0.2 s of quiet."""
    step = rate // 100
    levels = np.abs(sound[: len(sound) // step * step]).reshape(-1, step).max(axis=1)
    loud = levels > 0.05
    return [number / 100 for number in np.flatnonzero(loud) if not loud[max(0, number - 20) : number].any()]


def join(path: Path, *parts: Path) -> Path:
    """What `cat a b > path` makes."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def id3v2(cover_bytes: int) -> bytes:
    """A tag as players write it, with a cover of noise in which frames can be mistaken."""
    body = b"APIC" + struct.pack(">IH", cover_bytes + 14, 0) + b"\0image/png\0\x03\0\0" + garbage(cover_bytes)
    size = len(body)
    return b"ID3\x03\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + body


def id3v1() -> bytes:
    return b"TAG" + b"A title".ljust(30, b"\0") + bytes(90) + b"2024"[:4] + b"\x0c"


def ape_tag(cover_bytes: int, *, with_header: bool) -> bytes:
    items = struct.pack("<II", cover_bytes, 2) + b"Cover Art (Front)\0" + garbage(cover_bytes)

    def edge(flags: int) -> bytes:
        return b"APETAGEX" + struct.pack("<IIII", 2000, len(items) + 32, 1, flags) + bytes(8)

    return (edge(0xA0000000) if with_header else b"") + items + edge(0x80000000 if with_header else 0)


def lyrics3() -> bytes:
    text = b"LYRICSBEGIN" + b"IND0000211" + b"LYR00050" + b"la " * 16 + b"la"
    return text + b"%06d" % len(text) + b"LYRICS200"


def encode_tracks(
    path: Path,
    tracks: list[NDArray[np.float32]],
    rate: int,
    codec: str,
    *,
    late_seconds: int = 0,
    video_seconds: int = 0,
) -> Path:
    """Mono `tracks` side by side, `late_seconds` after the first picture if there are any."""
    with av.open(str(path), "w") as container:
        streams = [container.add_stream(codec, rate=rate, layout="mono") for _ in tracks]
        if video_seconds:
            _encode_pictures(container, "mpeg4" if path.suffix != ".ts" else "mpeg2video", video_seconds)
        for stream, sound in zip(streams, tracks, strict=True):
            assert isinstance(stream, AudioStream)
            _encode_sound(container, stream, sound, late_seconds)
    return path


def _encode_sound(
    container: av.container.OutputContainer, stream: AudioStream, sound: NDArray[np.float32], late_seconds: int
) -> None:
    rate = stream.rate
    wanted = stream.codec_context.format.name
    resampler = av.AudioResampler(format=wanted, layout="mono", rate=rate, frame_size=stream.frame_size or 1024)
    frame = av.AudioFrame.from_ndarray(sound[None, :], format="fltp", layout="mono")
    frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), 0
    for piece in [*resampler.resample(frame), *resampler.resample(None)]:
        assert piece.pts is not None
        piece.pts += late_seconds * rate
        container.mux(stream.encode(piece))
    container.mux(stream.encode(None))


def without_packets(source: Path, path: Path, left_out: Callable[[float], bool]) -> Path:
    """Copy the packets of the one track, but not those at times that are left out, as senders of pauses do."""
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        track = old.streams.audio[0]
        copy = new.add_stream_from_template(track)
        for packet in old.demux(track):
            if packet.dts is not None and not left_out(float(packet.dts * packet.time_base)):
                packet.stream = copy
                new.mux(packet)
    return path
