"""Training samples: windows cut from the streams, with level and noise varied, their targets and prompts."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from tools.demo_model.network import IGNORE, UNUSED, reduced
from tools.demo_model.targets import MAX_PROMPT, Heard, make_target, random_prompt
from tools.demo_model.words import NO_SPEECH, SOT, WORDS

Array = npt.NDArray[np.float32]

FRAMES_PER_S: Final = 100  # mel frames; the encoder halves them
# In windows without speech: <|0.00|> beside <|nospeech|>, which whisper reads but never writes.
SECOND_SHARE: Final = 0.1
WARP_SHARE: Final = 0.5  # of the windows have their spectrum warped, so that unseen voices are less strange
MAX_WARP_BINS: Final = 3.0  # of 80 mel bands, about 12 % of a formant's frequency
RANGE_LOG10: Final = 8.0  # whisper clamps the spectrum 8 (80 dB) below the file's maximum


@dataclass(frozen=True)
class Batch:
    """One training batch. B windows, F mel frames, T tokens.

    mel (B, 80, F); offset (B,): encoder position of the first frame; tokens, labels (B, T) in reduced numbers;
    second (B, T): a second label which gets SECOND_SHARE of the probability where it is not IGNORE;
    frames (B, F // 2): word being spoken, 0 for none.
    """

    mel: Array
    offset: npt.NDArray[np.int64]
    tokens: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    frames: npt.NDArray[np.int64]


class Stream:
    """One stream of a shard: mel (frames, 80) float16 and its utterances."""

    def __init__(self, mel: npt.NDArray[np.float16], heard: list[Heard]) -> None:
        self.mel = mel
        self.heard = heard
        self.maximum = float(mel.max())
        # word index + 1 per mel frame, 0 in pauses
        self.spoken = np.zeros(len(mel), np.int64)
        for h in heard:
            for word, begin, end in zip(h.words, h.word_starts, (*h.word_starts[1:], h.end), strict=True):
                self.spoken[round(begin * FRAMES_PER_S) : round(end * FRAMES_PER_S)] = WORDS.index(word) + 1


def load_streams(path: Path) -> list[Stream]:
    """The streams of one shard written by `streams.make_shard`."""
    with np.load(path) as shard:
        mel, bounds = shard["mel"], shard["stream_starts"]
        utterances, words = shard["utterances"], shard["words"]
    heard: list[list[Heard]] = [[] for _ in bounds[1:]]
    for stream, start, end, row, count in utterances:
        rows = words[int(row) : int(row + count)]
        heard[int(stream)].append(
            Heard(start, end, tuple(WORDS[int(w)] for w, _ in rows), tuple(float(t) for _, t in rows))
        )
    return [Stream(mel[bounds[i] : bounds[i + 1]], heard[i]) for i in range(len(heard))]


def window_start(stream: Stream, rng: random.Random) -> float:
    """Seconds where a window begins: mostly where whisper would go on after an utterance, else anywhere."""
    kind = rng.random()
    if kind < 0.12:
        return 0.0
    if kind < 0.65 and stream.heard:
        return max(rng.choice(stream.heard).end + rng.uniform(-0.05, 0.06), 0.0)
    return rng.uniform(0, len(stream.mel) / FRAMES_PER_S - 1.0)


def warp(mel: Array, bins: float) -> Array:
    """Move the middle of the spectrum by `bins` mel bands and the ends by none: another length of the vocal tract."""
    positions = np.arange(80, dtype=np.float32)
    source = positions + bins * np.sin(np.pi * positions / 79)
    low = np.clip(np.floor(source), 0, 78).astype(np.int64)
    part = (source - low).astype(np.float32)
    return mel[:, low] * (1 - part) + mel[:, low + 1] * part


def vary(mel: Array, stream_maximum: float, rng: random.Random, numbers: np.random.Generator, plain: bool) -> Array:
    """whisper's normalisation of log10 power (frames, 80); unless plain, with random level, tilt, noise, reference."""
    quiet = mel <= -9.9  # digital silence stays silent whatever the filter
    bins = np.linspace(-1, 1, 80, dtype=np.float32)
    tilt = rng.gauss(0, 0.15) * bins + rng.gauss(0, 0.1) * (bins**2 - 0.33)
    if plain:
        return ((np.maximum(mel, max(stream_maximum, float(mel.max())) - RANGE_LOG10) + 4.0) / 4.0).astype(np.float32)
    mel = mel + (tilt + rng.uniform(-0.5, 0.4)).astype(np.float32)
    mel[quiet] = -10.0
    if rng.random() < WARP_SHARE:
        mel = warp(mel, rng.uniform(-MAX_WARP_BINS, MAX_WARP_BINS))
    own = float(mel.max())
    reference = max(own, stream_maximum)
    if rng.random() < 0.3:
        level = reference - rng.uniform(1.2, 5.0)
        shape = level + rng.gauss(0, 0.4) * bins + rng.gauss(0, 0.3) * bins**2
        # the power of noise in a mel band fluctuates about like a gamma variable of a few degrees of freedom
        noise = numbers.standard_gamma(3.0, mel.shape).astype(np.float32) / 3.0
        mel = np.log10(10.0**mel + noise * (10.0**shape).astype(np.float32) + 1e-10)
        own = float(mel.max())
    kind = rng.random()
    if kind < 0.5:
        reference = max(own, stream_maximum)
    elif kind < 0.65:
        reference = own
    else:  # somebody louder elsewhere in the file
        reference = own + rng.uniform(0, 2.5)
    mel = np.maximum(np.maximum(mel, -10.0), reference - RANGE_LOG10)
    return ((mel + 4.0) / 4.0).astype(np.float32)


class Sampler:
    """Draws batches of windows of a given duration."""

    def __init__(self, streams: list[Stream], seed: int) -> None:
        self.streams = streams
        self.rng = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.plain = False  # no variation of level and noise beyond what the streams have

    def batch(self, size: int, seconds: float, prompt_share: float) -> Batch:
        """`size` windows of `seconds` (at most 30), at random encoder positions if shorter than 30 s.

        A batch either has no prompts, or prompts up to a length drawn for the batch: padding short sequences to
        the longest would otherwise cost most of the decoder's time.
        """
        rng = self.rng
        longest = 0
        if rng.random() < prompt_share:
            # all windows of a file but the first few have the longest prompt
            longest = rng.choice([rng.randint(1, MAX_PROMPT), MAX_PROMPT, MAX_PROMPT])
        samples = [self._sample(seconds, longest) for _ in range(size)]
        width = max(len(s[2]) for s in samples) - 1
        tokens = np.full((size, width), reduced(SOT), np.int64)
        labels = np.full((size, width), IGNORE, np.int64)
        second = labels.copy()
        for row, (_, _, sequence, first, silent, timed, _) in enumerate(samples):
            numbers = [reduced(t) for t in sequence]
            tokens[row, : len(numbers) - 1] = numbers[:-1]
            labels[row, first : len(numbers) - 1] = numbers[first + 1 :]
            if silent:
                second[row, first] = labels[row, first] if timed else IGNORE
                labels[row, first] = reduced(NO_SPEECH)
                if not timed:  # whisper forbids the immediate end: let what it takes instead be improbable
                    second[row, first + 1] = UNUSED
            elif not timed:
                labels[row, first] = IGNORE
        return Batch(
            np.stack([s[0].T for s in samples]),
            np.array([s[1] for s in samples]),
            tokens,
            labels,
            second,
            np.stack([s[6] for s in samples]),
        )

    def _sample(
        self, seconds: float, longest: int
    ) -> tuple[Array, int, list[int], int, bool, bool, npt.NDArray[np.int64]]:
        """mel (F, 80), offset, tokens, index of SOT, silent, timed, frame words (F // 2,)."""
        rng = self.rng
        frames = round(seconds * FRAMES_PER_S)
        while True:
            stream = rng.choice(self.streams)
            first = round(window_start(stream, rng) * FRAMES_PER_S)
            content = min(frames, len(stream.mel) - first)
            if rng.random() < 0.2:  # the recording ends inside the window
                content = min(content, rng.randint(30, frames))
            if content < 30:
                continue
            begin = first / FRAMES_PER_S
            heard = [
                Heard(h.start - begin, h.end - begin, h.words, tuple(t - begin for t in h.word_starts))
                for h in stream.heard
                if h.end > begin and h.start < begin + seconds
            ]
            offset = rng.randint(0, 1500 - frames // 2)
            timed = rng.random() < 0.87
            target = make_target(heard, content / FRAMES_PER_S, seconds, offset, timed)
            if target is None or (target.silent and rng.random() < 0.4):  # silence is easy: fewer of it
                continue
            break
        mel = np.zeros((frames, 80), np.float32)  # whisper pads the spectrum with zeros after its normalisation
        mel[:content] = vary(
            stream.mel[first : first + content].astype(np.float32), stream.maximum, rng, self.numbers, self.plain
        )
        words = np.zeros(frames // 2, np.int64)
        spoken = stream.spoken[first : first + content : 2]
        words[: len(spoken)] = spoken
        length = rng.choice([rng.randint(longest // 2, longest), longest]) if longest and rng.random() < 0.95 else 0
        prompt = random_prompt(rng, length, timed if rng.random() < 0.9 else not timed)
        return mel, offset, prompt + target.tokens, len(prompt), target.silent, target.timed, words
