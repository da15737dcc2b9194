"""The recordings which come with the model: a sample to try and twelve clips for the tests, by held-out voices."""

from __future__ import annotations

import json
import random
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from tools.demo_model.codecs import WHISPER_RATE
from tools.demo_model.espeak import Synthesizer
from tools.demo_model.streams import Audio, Recording, Spoken, coloured_noise
from tools.demo_model.voices import HELD_OUT_ACCENTS, HELD_OUT_PITCHES, HELD_OUT_SPEEDS, HELD_OUT_VARIANTS, Voice
from tools.demo_model.words import WORDS

Script = list[tuple[float, tuple[str, ...], Voice]]  # pause before it in seconds, words, voice

SAMPLE_TITLE: Final = "Machine log, night"
_OPERATOR = Voice("en-us+f3", 158, 58)
_MACHINE = Voice("en-gb+m3", 140, 40)
_GUARD = Voice("en-us+benjamin", 142, 38)
# About 75 s. The pause of seven seconds is there to be seen in the transcript.
SAMPLE_SCRIPT: Final[tuple[tuple[float, str, Voice], ...]] = (
    (0.8, "machine start", _MACHINE),
    (0.9, "night worker one open gate", _OPERATOR),
    (0.8, "model safe memory safe disk open", _MACHINE),
    (1.0, "upload speech audio seven", _OPERATOR),
    (0.8, "queue job seven chunk one start", _MACHINE),
    (1.2, "fan two stop", _GUARD),
    (0.7, "heat signal worker four", _GUARD),
    (1.0, "error four six zero", _MACHINE),
    (0.9, "cancel chunk nine", _OPERATOR),
    (0.8, "retry chunk nine", _OPERATOR),
    (7.0, "fan two start heat safe", _MACHINE),
    (1.0, "whisper result job seven done", _MACHINE),
    (0.9, "open window three", _OPERATOR),
    (1.1, "python worker five stop", _GUARD),
    (0.8, "backup disk eight start", _GUARD),
    (1.0, "upload result one", _OPERATOR),
    (0.9, "queue zero job three error one", _MACHINE),
    (1.3, "audio done speech safe backup open", _MACHINE),
    (1.0, "lock gate two", _OPERATOR),
    (1.2, "signal two open error", _GUARD),
    (1.0, "heat fan five start", _OPERATOR),
    (1.1, "model memory eight seven zero safe", _MACHINE),
    (0.9, "retry disk backup six", _OPERATOR),
    (1.4, "python result nine done", _GUARD),
    (1.0, "night signal safe machine stop", _MACHINE),
)
CLIPS: Final = 12
CLIP_SEED: Final = 4711
TAIL_S: Final = 0.8  # silence at the end of a recording, so that joined clips do not touch


def speak_script(synthesizer: Synthesizer, script: Script, noise_db: float | None, seed: int) -> Recording:
    """Speak a script at a peak of -3 dB, with pink noise `noise_db` under the speech's level if it is given."""
    rate = synthesizer.rate
    pieces: list[Audio] = []
    spoken: list[Spoken] = []
    position = 0
    for gap, words, voice in script:
        utterance = synthesizer.speak(words, voice)
        speech = utterance.samples.astype(np.float32)
        pieces += [np.zeros(round(gap * rate), np.float32), speech / np.float32(np.abs(speech).max())]
        position += len(pieces[-2])
        start = position / rate
        position += len(speech)
        starts = tuple(start + t for t in utterance.word_starts)
        spoken.append(Spoken(start, position / rate, words, starts, voice))
    audio = np.concatenate([*pieces, np.zeros(round(TAIL_S * rate), np.float32)])
    if noise_db is not None:
        level = float(np.sqrt(np.mean(audio**2))) * 10 ** (-noise_db / 20)
        audio = audio + np.float32(level) * coloured_noise(np.random.default_rng(seed), len(audio), 1.0)
    return Recording(audio * np.float32(0.7), rate, tuple(spoken))


def write_audio(recording: Recording, target: Path, *options: str) -> None:
    """Encode with ffmpeg, without the metadata which would differ between runs."""
    pcm = (np.clip(recording.audio, -1, 1) * 32767).astype("<i2").tobytes()
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "s16le", "-ar", str(recording.rate), "-ac", "1",
         "-i", "pipe:0", "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact", *options, str(target)],
        input=pcm, check=True,
    )  # fmt: skip


def truth(recording: Recording) -> dict[str, Any]:
    """What is said, when, and by which voice; times in seconds rounded to milliseconds."""
    utterances = [
        {"start": round(s.start, 3), "end": round(s.end, 3), "text": " ".join(s.words), "voice": asdict(s.voice)}
        for s in recording.spoken
    ]
    return {
        "seconds": round(len(recording.audio) / recording.rate, 3),
        "text": " ".join(str(u["text"]) for u in utterances),
        "utterances": utterances,
    }


def make_sample(folder: Path) -> None:
    """sample.mp3 (64 kbit/s mono) and sample.json."""
    script = [(gap, tuple(text.split()), voice) for gap, text, voice in SAMPLE_SCRIPT]
    recording = speak_script(Synthesizer(), script, 40.0, 1)
    write_audio(recording, folder / "sample.mp3", "-ar", "44100", "-c:a", "libmp3lame", "-b:a", "64k")
    content = {"title": SAMPLE_TITLE, "file": "sample.mp3", **truth(recording)}
    (folder / "sample.json").write_text(json.dumps(content, indent=1) + "\n")


def clip_script(rng: random.Random, number: int) -> Script:
    """Random sentences of one or two held-out voices for 24 to 34 s."""
    names = [
        f"{HELD_OUT_ACCENTS[(number + i) % len(HELD_OUT_ACCENTS)]}"
        f"+{HELD_OUT_VARIANTS[(number + 6 * i) % len(HELD_OUT_VARIANTS)]}"
        for i in range(1 + number % 2)
    ]
    voices = [Voice(name, rng.choice(HELD_OUT_SPEEDS), rng.choice(HELD_OUT_PITCHES)) for name in names]
    bag: list[str] = []
    script: Script = []
    seconds, wanted = 0.0, rng.uniform(23, 31)
    while seconds < wanted:
        words: list[str] = []
        for _ in range(rng.choice([1, 2, 3, 3, 4, 4, 5, 5, 6, 7])):
            if not bag:  # every word once before any comes again
                bag = rng.sample(WORDS, len(WORDS))
            words.append(bag.pop())
        gap = 0.6 if not script else rng.choice([0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.5])
        script.append((gap, tuple(words), rng.choice(voices)))
        seconds += gap + 0.42 * len(words)  # about; the truth is measured
    return script


def make_clips(folder: Path) -> None:
    """clip_00.flac ... clip_11.flac (16 kHz mono) and clips.json."""
    folder.mkdir(parents=True, exist_ok=True)
    synthesizer = Synthesizer()
    rng = random.Random(CLIP_SEED)
    clips = []
    for number in range(CLIPS):
        noise_db = 30.0 + number if number % 3 == 2 else None
        recording = speak_script(synthesizer, clip_script(rng, number), noise_db, number)
        name = f"clip_{number:02d}.flac"
        write_audio(
            recording, folder / name, "-ar", str(WHISPER_RATE), "-c:a", "flac", "-sample_fmt", "s16",
            "-compression_level", "12",
        )  # fmt: skip
        clips.append({"file": name, "noise_db": noise_db, **truth(recording)})
    content = {"rate": WHISPER_RATE, "clips": clips}
    (folder / "clips.json").write_text(json.dumps(content, indent=1) + "\n")
