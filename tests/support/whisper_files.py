"""The same result written by whisper's own writers and by ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from whisper.utils import get_writer

from transcribe.transcript import Format, Segment, Transcript, Word, render


def spoken(*segments: tuple[float, float, str]) -> tuple[Segment, ...]:
    return tuple(Segment(start, end, text) for start, end, text in segments)


def with_words(start: float, end: float, *words: str) -> Segment:
    """A segment whose words share its time equally; each word brings its leading space."""
    step = (end - start) / len(words)
    timed = (Word(start + at * step, start + (at + 1) * step, word, 0.9) for at, word in enumerate(words))
    return Segment(start, end, "".join(words), tuple(timed))


def ours(segments: Sequence[Segment], format: Format) -> str:
    return render(transcript(segments), format)


def transcript(segments: Sequence[Segment]) -> Transcript:
    return Transcript(language="en", segments=tuple(segments), duration_seconds=60.0, covered_seconds=60.0)


def whispers(segments: Sequence[Segment], format: Format, tmp_path: Path) -> str:
    writer: Any = get_writer(format, str(tmp_path))
    writer(result(segments), "talk.wav", {})
    return (tmp_path / f"talk.{format}").read_text(encoding="utf-8")


def result(segments: Sequence[Segment]) -> dict[str, Any]:
    """As `whisper.transcribe` returns it; the decoder's figures are left out."""
    timed = any(segment.words for segment in segments)
    shapes = []
    for number, segment in enumerate(segments):
        shape: dict[str, Any] = {
            "id": number,
            "start": segment.start_seconds,
            "end": segment.end_seconds,
            "text": segment.text,
        }
        if timed:
            shape["words"] = [
                {"word": w.text, "start": w.start_seconds, "end": w.end_seconds, "probability": w.probability}
                for w in segment.words
            ]
        shapes.append(shape)
    return {"text": "".join(segment.text for segment in segments), "segments": shapes, "language": "en"}
