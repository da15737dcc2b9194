"""Real speech for tests: the shipped clips, joined to any length, with the words and times that are spoken."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import inf
from pathlib import Path

import av
import numpy as np

SPEECH_DIR = Path(__file__).resolve().parents[1] / "speech"
DEMO_DIR = Path(__file__).resolve().parents[2] / "transcribe" / "demo"
SAMPLE = DEMO_DIR / "sample.mp3"
SAMPLE_RATE = 16_000


@dataclass(frozen=True)
class Utterance:
    start_seconds: float
    end_seconds: float
    text: str


@dataclass(frozen=True)
class Recording:
    path: Path
    utterances: tuple[Utterance, ...]
    duration_seconds: float

    @property
    def text(self) -> str:
        return " ".join(utterance.text for utterance in self.utterances)


def sample() -> Recording:
    truth = json.loads(SAMPLE.with_suffix(".json").read_text())
    utterances = tuple(Utterance(u["start"], u["end"], u["text"]) for u in truth["utterances"])
    return Recording(SAMPLE, utterances, utterances[-1].end_seconds)


def joined(path: Path, *, minutes: float, pause_seconds: float = 0.0, dense_from_minutes: float = inf) -> Recording:
    """The shipped clips one after another as a 16 kHz wav of at least `minutes`.

    Silence costs an engine next to nothing: with a pause after each clip (up to `dense_from_minutes`) a long recording
    is soon read.
    """
    clips = json.loads((SPEECH_DIR / "clips.json").read_text())["clips"]
    pieces: list[np.ndarray] = []
    utterances: list[Utterance] = []
    pause = np.zeros(round(pause_seconds * SAMPLE_RATE), dtype="<i2")
    samples = 0
    while samples < minutes * 60 * SAMPLE_RATE:
        for clip in clips:
            start = samples / SAMPLE_RATE
            utterances += [Utterance(start + u["start"], start + u["end"], u["text"]) for u in clip["utterances"]]
            pieces += [pcm(SPEECH_DIR / clip["file"]), *([pause] if start < dense_from_minutes * 60 else [])]
            samples = sum(map(len, pieces))
            if samples >= minutes * 60 * SAMPLE_RATE:
                break
    write_wav(path, np.concatenate(pieces))
    return Recording(path, tuple(utterances), samples / SAMPLE_RATE)


def pcm(path: Path) -> np.ndarray:
    """int16 samples, shape (n,), 16 kHz mono."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    with av.open(str(path)) as container:
        frames = [f for frame in container.decode(audio=0) for f in resampler.resample(frame)]
    frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def write_wav(path: Path, samples: np.ndarray) -> None:
    import wave

    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(SAMPLE_RATE)
        wav.writeframes(samples.astype("<i2").tobytes())
