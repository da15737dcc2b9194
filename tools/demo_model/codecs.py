"""Real encoders as augmentation: audio goes through ffmpeg's mp3, opus, AAC and mu-law and comes back at 16 kHz.

Containers carry the encoder's delay (LAME tag, opus pre-skip, MP4 edit list) and ffmpeg removes it when it
decodes, as it does in `whisper.load_audio`; `python -m tools.demo_model codecs` prints what remains.
"""

from __future__ import annotations

import random
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

WHISPER_RATE = 16_000


@dataclass(frozen=True)
class Codec:
    """One encoding. kind: wav, mp3, opus, aac, mulaw; kbit: total kbit/s; rate: Hz; channels: 1 or 2."""

    kind: str
    kbit: int = 0
    rate: int = 22_050
    channels: int = 1

    @property
    def suffix(self) -> str:
        return {"wav": ".wav", "mp3": ".mp3", "opus": ".ogg", "aac": ".m4a", "mulaw": ".wav"}[self.kind]

    @property
    def label(self) -> str:
        if self.kind == "wav":
            return "wav"
        if self.kind == "mulaw":
            return "mu-law 8 kHz"
        return f"{self.kind} {self.kbit}k {'stereo' if self.channels == 2 else 'mono'} {self.rate / 1000:g} kHz"


def random_codec(rng: random.Random) -> Codec:
    """A codec at a rate people use; a third of the draws is plain wav."""
    kind = rng.choices(["wav", "mp3", "opus", "aac", "mulaw"], weights=[34, 36, 18, 7, 5])[0]
    if kind == "mp3":
        rate = rng.choice([16_000, 22_050, 24_000, 44_100, 44_100, 48_000])
        if rate >= 44_100:  # MPEG-1: ffmpeg's LAME takes 32 kbit/s and more
            channels, kbit = rng.choice(
                [(1, 32), (1, 48), (1, 64), (1, 96), (2, 32), (2, 32), (2, 48), (2, 64), (2, 128)]
            )
        else:  # MPEG-2: 8..160 kbit/s
            channels, kbit = rng.choice([(1, 16), (1, 24), (1, 32), (1, 48), (1, 64), (2, 32), (2, 48), (2, 64)])
        return Codec("mp3", kbit, rate, channels)
    if kind == "opus":
        return Codec("opus", rng.choice([12, 16, 20, 24, 32, 48, 64]), 48_000, rng.choice([1, 1, 2]))
    if kind == "aac":
        return Codec("aac", rng.choice([32, 48, 64, 96, 128]), rng.choice([22_050, 44_100]), rng.choice([1, 2]))
    if kind == "mulaw":
        return Codec("mulaw", 64, 8_000, 1)
    return Codec("wav")


def encode(audio: npt.NDArray[np.float32], rate: int, codec: Codec, target: Path) -> None:
    """Write mono `audio` (-1..1, `rate` Hz) to `target`."""
    options = {
        "wav": ["-c:a", "pcm_s16le"],
        "mp3": ["-c:a", "libmp3lame", "-b:a", f"{codec.kbit}k"],
        "opus": ["-c:a", "libopus", "-b:a", f"{codec.kbit}k"],
        "aac": ["-c:a", "aac", "-b:a", f"{codec.kbit}k"],
        "mulaw": ["-c:a", "pcm_mulaw"],
    }[codec.kind]
    pcm = (np.clip(audio, -1.0, 1.0) * 32767).astype("<i2").tobytes()
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-y", "-threads", "1", "-f", "s16le", "-ar", str(rate), "-ac", "1", "-i",
         "pipe:0", "-ar", str(codec.rate), "-ac", str(codec.channels), *options, str(target)],
        input=pcm, check=True,
    )  # fmt: skip


def decode(source: Path) -> npt.NDArray[np.float32]:
    """The file as mono 16 kHz in -1..1, with the same ffmpeg options as `whisper.load_audio`."""
    pcm = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-threads", "1", "-i", str(source), "-f", "s16le", "-ac", "1", "-acodec",
         "pcm_s16le", "-ar", str(WHISPER_RATE), "-"],
        stdout=subprocess.PIPE, check=True,
    ).stdout  # fmt: skip
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)


def through(audio: npt.NDArray[np.float32], rate: int, codec: Codec) -> npt.NDArray[np.float32]:
    """`audio` encoded and decoded: mono 16 kHz of about the same duration."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"audio{codec.suffix}"
        encode(audio, rate, codec, path)
        return decode(path)
