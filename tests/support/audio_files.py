"""Makers of real sound files, good and bad, for the tests: PyAV encodes, the rest is bytes.

The test sound is a *beacon*: in every second 0.6 s of tone, then 0.4 s of silence, so that a stretch that moved or is
missing shows at once.
"""

from __future__ import annotations

import struct
import wave
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
    sound_after_seconds: int = 0,
) -> Path:
    """Encode mono `sound`, with moving pictures by codec `video` if given; the container follows from the name."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, AudioStream)
        if bit_rate is not None:
            stream.bit_rate = bit_rate
        if video is not None:
            _encode_pictures(container, video, len(sound) / rate)
        wanted = stream.codec_context.format.name
        resampler = av.AudioResampler(format=wanted, layout="mono", rate=rate, frame_size=stream.frame_size or 1024)
        frame = av.AudioFrame.from_ndarray(sound[None, :], format="fltp", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), 0
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            assert piece.pts is not None
            piece.pts += sound_after_seconds * rate
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
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
