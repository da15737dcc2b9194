"""What the suite listens to: the bundled sample, a long file joined from the shipped clips, and three hours of mp3."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np

from tests.support.speech_files import SPEECH_DIR, Recording, joined, pcm, sample

LONG_MINUTES = 20.0
# As a phone or a podcast has it, so that the preparation has to decode, mix and resample.
MP3_RATE, MP3_LAYOUT, MP3_BITS_PER_SECOND = 44_100, "stereo", 128_000


def sample_recording() -> Recording:
    return sample()


def long_recording(folder: Path, minutes: float) -> Recording:
    return joined(folder / f"joined-{minutes:g}-min.wav", minutes=minutes)


def mp3_of_hours(path: Path, hours: float) -> float:
    """Tile the clips to an mp3 of `hours` on disk; returns its true length in seconds.

    The clips are encoded once. Frames of mp3 stand on their own, so the same bytes are written again and again:
    no more than one round is ever in memory.
    """
    once = path.with_name("round.mp3")
    seconds = _encode_round(once)
    rounds = round(hours * 3600 / seconds)
    block = once.read_bytes()
    with path.open("wb") as out:
        for _ in range(rounds):
            out.write(block)
    once.unlink()
    return rounds * seconds


def _encode_round(path: Path) -> float:
    clips = json.loads((SPEECH_DIR / "clips.json").read_text(encoding="utf-8"))["clips"]
    samples = np.concatenate([pcm(SPEECH_DIR / clip["file"]) for clip in clips])
    # No Xing header: in the middle of the tiled file it would be a frame of silence with a false length.
    with av.open(str(path), "w", format="mp3", options={"write_xing": "0", "id3v2_version": "0"}) as container:
        stream = container.add_stream("libmp3lame", rate=MP3_RATE)
        stream.layout = MP3_LAYOUT
        stream.bit_rate = MP3_BITS_PER_SECOND
        resampler = av.AudioResampler(format="s16p", layout=MP3_LAYOUT, rate=MP3_RATE)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 16_000
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return len(samples) / 16_000
