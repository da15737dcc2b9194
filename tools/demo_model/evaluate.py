"""Measurement through `whisper.transcribe` with the command line's default options, on held-out voices."""

from __future__ import annotations

import json
import random
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tools.demo_model.codecs import Codec, decode, encode
from tools.demo_model.espeak import Synthesizer
from tools.demo_model.scoring import Span, edit_distance, normalise, percentile, time_errors
from tools.demo_model.streams import Audio, Recording, Spoken, add_room, clean_recording

SEED: Final = 77
WINDOWS: Final = 24
WINDOW_S: Final = 22.0  # speech begins before this time, so that a recording fits in one window of 30 s
LONG_S: Final = 1200.0
# `whisper audio` on the command line: whisper/transcribe.py, cli().
DEFAULTS: Final[dict[str, Any]] = {
    "temperature": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0), "beam_size": 5, "best_of": 5, "compression_ratio_threshold": 2.4,
    "logprob_threshold": -1.0, "no_speech_threshold": 0.6, "condition_on_previous_text": True,
}  # fmt: skip
CODECS: Final[tuple[Codec, ...]] = (
    Codec("wav"), Codec("mp3", 32, 44_100, 2), Codec("mp3", 48, 44_100, 1), Codec("mp3", 64, 44_100, 1),
    Codec("mp3", 128, 44_100, 2), Codec("opus", 12, 48_000), Codec("opus", 16, 48_000), Codec("opus", 24, 48_000),
    Codec("opus", 32, 48_000), Codec("opus", 64, 48_000, 2), Codec("aac", 64, 44_100), Codec("mulaw", 64, 8_000),
)  # fmt: skip
# Options other than the default are measured with these only.
FEW: Final = ("wav", "mp3 32k stereo 44.1 kHz", "opus 16k mono 48 kHz")


@dataclass
class Score:
    """Sums over recordings."""

    words: int = 0
    edits: int = 0
    utterances: int = 0
    missed: int = 0
    seconds: float = 0.0
    errors: tuple[float, ...] = ()

    def line(self, label: str) -> dict[str, Any]:
        return {
            "what": label,
            "words": self.words,
            "wer_percent": round(100 * self.edits / max(self.words, 1), 2),
            "time_p50": round(percentile(self.errors, 0.5), 3),
            "time_p95": round(percentile(self.errors, 0.95), 3),
            "time_max": round(percentile(self.errors, 1.0), 3),
            "over_0.3_s": sum(e > 0.3 for e in self.errors),
            "utterances": self.utterances,
            "missed": self.missed,
            "seconds": round(self.seconds, 1),
        }


def add_result(score: Score, spoken: Sequence[Spoken], result: dict[str, Any]) -> None:
    """Count the differences between what was said and whisper's result."""
    reference = [word for s in spoken for word in s.words]
    score.words += len(reference)
    score.edits += edit_distance(reference, normalise(result["text"]))
    found = time_errors(
        [Span(s.start, s.end) for s in spoken], [Span(s["start"], s["end"], s["text"]) for s in result["segments"]]
    )
    score.utterances += len(spoken)
    score.missed += found.missed
    score.errors += found.all


def recordings(kind: str) -> list[Recording]:
    """Held-out test material. kind: "windows" (each shorter than 30 s) or "long" (one of 20 minutes)."""
    rng = random.Random(f"{SEED} {kind}")
    synthesizer = Synthesizer()
    made: list[Recording] = []
    while len(made) < (WINDOWS if kind == "windows" else 1):
        recording = clean_recording(synthesizer, rng, WINDOW_S if kind == "windows" else LONG_S, held_out=True)
        if kind == "windows" and (not recording.spoken or len(recording.audio) > 29.5 * recording.rate):
            continue
        made.append(Recording(add_room(recording, rng), recording.rate, recording.spoken))
    return made


def measure(model: Any, made: Sequence[tuple[Audio, Sequence[Spoken]]], **options: Any) -> Score:
    score = Score()
    for audio, spoken in made:
        began = time.monotonic()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "FP16 is not supported on CPU"
            result = model.transcribe(audio, **(DEFAULTS | options))
        score.seconds += time.monotonic() - began
        add_result(score, spoken, result)
    return score


def evaluate(checkpoint: Path, work: Path, kinds: Sequence[str] = ("windows", "long"), few: bool = False) -> None:
    """Print one JSON line per measurement and append it to work/results.jsonl."""
    import torch
    import whisper

    torch.set_num_threads(1)
    # j5a: allow J5A001 because it is the demo model of 8 MB, measured on a person's command
    model = whisper.load_model(str(checkpoint), device="cpu")
    folder = work / "evaluation"
    folder.mkdir(parents=True, exist_ok=True)
    variants: list[tuple[str, dict[str, Any], bool]] = [
        ("", {}, False),
        (", previous text off", {"condition_on_previous_text": False}, True),
        (", without timestamps", {"without_timestamps": True}, True),
    ]
    for kind in kinds:
        material = recordings(kind)
        for codec in CODECS:
            if few and codec.label not in FEW:
                continue
            decoded = []
            for number, recording in enumerate(material):
                path = folder / f"{kind}_{number}_{codec.label.replace(' ', '_')}{codec.suffix}"
                if not path.exists():
                    encode(recording.audio, recording.rate, codec, path)
                decoded.append((decode(path), recording.spoken))
            for name, options, only_few in variants:
                if only_few and codec.label not in FEW:
                    continue
                line = measure(model, decoded, **options).line(f"{kind}, {codec.label}{name}")
                text = json.dumps(line)
                print(text, flush=True)
                with (work / "results.jsonl").open("a") as results:
                    results.write(text + "\n")
    sys.stdout.flush()
