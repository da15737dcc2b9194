"""Long recordings with known words and times: espeak utterances, pauses, level, noise, and a codec.

A stream is what the training windows are cut from. It is kept as its log-mel spectrum (before whisper's
normalisation, which depends on the whole file) in a .npz shard, so that training costs no signal processing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from tools.demo_model import codecs
from tools.demo_model.espeak import Synthesizer
from tools.demo_model.voices import Voice, held_out_voice, training_voice
from tools.demo_model.words import WORDS

Audio = npt.NDArray[np.float32]

STREAM_S: Final = 150.0  # long enough that cutting windows and starting ffmpeg cost little
MIN_GAP_S: Final = 0.3  # shorter pauses occur inside sentences, so they cannot separate segments
LOG_FLOOR: Final = 1e-10  # whisper/audio.py clamps the mel power there before log10


@dataclass(frozen=True)
class Spoken:
    """One utterance in a recording; times in seconds from the recording's beginning."""

    start: float
    end: float
    words: tuple[str, ...]
    word_starts: tuple[float, ...]
    voice: Voice


@dataclass(frozen=True)
class Recording:
    """audio: mono float32 at `rate` Hz."""

    audio: Audio
    rate: int
    spoken: tuple[Spoken, ...]


def random_words(rng: random.Random) -> tuple[str, ...]:
    """One to seven words in any order, repetitions allowed."""
    return tuple(rng.choices(WORDS, k=rng.randint(1, 7)))


def training_words(rng: random.Random) -> tuple[str, ...]:
    """As `random_words`, but 40 % of the sentences have only two to four words to choose from.

    A small decoder loses its place between equal words, so their repetitions are practised more than they occur.
    """
    if rng.random() < 0.6:
        return random_words(rng)
    return tuple(rng.choices(rng.sample(WORDS, rng.randint(2, 4)), k=rng.randint(2, 7)))


def random_gap(rng: random.Random) -> float:
    """Seconds of pause after an utterance: mostly breaths, sometimes long, rarely longer than a window."""
    kind = rng.random()
    if kind < 0.72:
        return MIN_GAP_S + min(rng.expovariate(1 / 0.5), 2.5)
    if kind < 0.91:
        return rng.uniform(1.0, 3.5)
    if kind < 0.98:
        return rng.uniform(3.0, 9.0)
    return rng.uniform(9.0, 40.0)


def clean_recording(synthesizer: Synthesizer, rng: random.Random, seconds: float, held_out: bool) -> Recording:
    """Utterances of a few voices separated by silence, without noise; level differs between utterances."""
    draw = held_out_voice if held_out else training_voice
    draw_words = random_words if held_out else training_words
    voices = [draw(rng) for _ in range(rng.randint(1, 5))]
    rate = synthesizer.rate
    pieces: list[Audio] = []
    spoken: list[Spoken] = []
    position = 0
    spread = rng.choice([0.0, 3.0, 8.0])  # dB between utterances
    gap = rng.choice([0.0, rng.uniform(0, 1), random_gap(rng)])
    while True:
        pieces.append(np.zeros(int(gap * rate), np.float32))
        position += len(pieces[-1])
        if position / rate >= seconds:
            break
        utterance = synthesizer.speak(draw_words(rng), rng.choice(voices), rng.choice([".", ".", "", "?", "!", ","]))
        gain = 10 ** (rng.uniform(-spread, 0) / 20)
        pieces.append(utterance.samples.astype(np.float32) * (gain / 32768))
        start = position / rate
        position += len(pieces[-1])
        spoken.append(
            Spoken(
                start,
                position / rate,
                utterance.words,
                tuple(start + t for t in utterance.word_starts),
                utterance.voice,
            )
        )
        gap = random_gap(rng)
    return Recording(np.concatenate(pieces), rate, tuple(spoken))


def coloured_noise(rng: np.random.Generator, samples: int, slope: float) -> Audio:
    """Noise of unit power whose spectrum falls with f**-slope (0 white, 1 pink, 2 brown). shape (samples,)"""
    period = min(samples, 1 << 19)  # one long period, repeated: an FFT over minutes would cost too much
    spectrum = rng.standard_normal(period // 2 + 1) + 1j * rng.standard_normal(period // 2 + 1)
    spectrum *= np.maximum(np.arange(period // 2 + 1), period / 1000) ** (-slope / 2)
    noise = np.fft.irfft(spectrum, period).astype(np.float32)
    noise /= np.sqrt(np.mean(noise**2)) + 1e-9
    return np.resize(noise, samples)


def add_room(recording: Recording, rng: random.Random) -> Audio:
    """The recording's audio with a level, a slow drift of it, and (in 60 %) noise, hum or babble."""
    numbers = np.random.default_rng(rng.randrange(1 << 32))
    audio, rate = recording.audio.copy(), recording.rate
    count = len(audio)
    seconds = np.arange(count, dtype=np.float32) / rate
    if rng.random() < 0.3:  # a speaker who moves: up to 6 dB either way within 20 to 200 s
        drift_db = rng.uniform(2, 6) * np.sin(2 * np.pi * (seconds / rng.uniform(20, 200) + rng.random()))
        audio *= (10 ** (drift_db / 20)).astype(np.float32)
    level = float(np.sqrt(np.mean(audio**2))) + 1e-6
    if rng.random() < 0.6:
        snr_db = rng.uniform(8, 45)
        noise_level = level * 10 ** (-snr_db / 20)
        kind = rng.choice(["colour", "colour", "hum", "babble"])
        if kind == "colour":
            noise = coloured_noise(numbers, count, rng.choice([0.0, 0.5, 1.0, 2.0]))
        elif kind == "hum":
            noise = 0.3 * coloured_noise(numbers, count, 1.0)
            mains = rng.choice([50.0, 60.0])
            for harmonic in (1, 2, 3, 5):
                noise += (rng.random() * np.sin(2 * np.pi * mains * harmonic * seconds)).astype(np.float32)
        else:  # the recording itself, reversed and shifted, three times: speech-like without words
            snr = max(snr_db, 14)
            noise_level = level * 10 ** (-snr / 20)
            noise = sum((np.roll(audio[::-1], rng.randrange(count)) for _ in range(3)), np.zeros(count, np.float32))
        noise /= float(np.sqrt(np.mean(noise**2))) + 1e-9
        audio += noise_level * noise
    peak = float(np.max(np.abs(audio))) + 1e-6
    return audio * np.float32(10 ** (rng.uniform(-26, 0) / 20) / peak)


def log_mel(audio: Audio) -> npt.NDArray[np.float16]:
    """log10 mel power of 16 kHz audio as whisper computes it before its normalisation. shape (frames, 80)"""
    import torch
    from whisper.audio import HOP_LENGTH, N_FFT, mel_filters

    spectrum = torch.stft(
        torch.from_numpy(audio), N_FFT, HOP_LENGTH, window=torch.hann_window(N_FFT), return_complex=True
    )
    power = mel_filters(torch.device("cpu"), 80) @ (spectrum[..., :-1].abs() ** 2)
    return power.clamp(min=LOG_FLOOR).log10().T.contiguous().numpy().astype(np.float16)


def make_shard(seed: int, streams: int, folder: Path, held_out: bool = False) -> Path:
    """Write `streams` streams as one .npz: mel (frames, 80) and the truth as flat arrays. Fixed by `seed`."""
    target = folder / f"shard_{seed:04d}.npz"
    if target.exists():
        return target
    import torch

    torch.set_num_threads(1)
    rng = random.Random(seed)
    synthesizer = Synthesizer()
    mels: list[npt.NDArray[np.float16]] = []
    stream_starts, utterances = [0], []
    word_rows: list[tuple[int, float]] = []
    for _ in range(streams):
        recording = clean_recording(synthesizer, rng, STREAM_S, held_out)
        mel = log_mel(codecs.through(add_room(recording, rng), recording.rate, codecs.random_codec(rng)))
        for spoken in recording.spoken:
            utterances.append((len(mels), spoken.start, spoken.end, len(word_rows), len(spoken.words)))
            word_rows += [(WORDS.index(w), t) for w, t in zip(spoken.words, spoken.word_starts, strict=True)]
        mels.append(mel)
        stream_starts.append(stream_starts[-1] + len(mel))
    partial = target.with_suffix(".part.npz")
    np.savez(
        partial,
        mel=np.concatenate(mels),
        stream_starts=np.array(stream_starts),
        utterances=np.array(utterances, np.float64),  # stream, start s, end s, first word row, words
        words=np.array(word_rows, np.float64),  # index in WORDS, start s
    )
    partial.replace(target)
    return target
