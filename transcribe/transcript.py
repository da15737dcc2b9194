"""A finished transcript and the five files people download. Light: no whisper, no numpy.

The files are those of whisper's own command line (whisper/utils.py, ResultWriter), byte for byte for ordinary
text, with these differences:

- json holds id, start, end, text and words of a segment, not the decoder's figures (seek, tokens,
temperature …).
- `-->` is made safe in subtitles of word times, too, and where more hyphens precede it: whisper does so only for
those of segment times, and makes `-->` of `--->`.
- vtt: `<`, and an `&` that begins an entity, are escaped: a player would take them for markup and swallow
text.
- srt and vtt: an empty line inside a text ends the subtitle in both formats, so it is removed.
- with word times, a segment that has text but no words keeps its own times; whisper would leave it out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from transcribe.subtitles import Cue, srt_text, vtt_text

Format = Literal["txt", "srt", "vtt", "tsv", "json"]
FORMATS: tuple[Format, ...] = get_args(Format)
CONTENT_TYPES: dict[Format, str] = {
    "txt": "text/plain; charset=utf-8",
    "srt": "application/x-subrip; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
    "tsv": "text/tab-separated-values; charset=utf-8",
    "json": "application/json",
}
# whisper/utils.py, SubtitlesWriter.iterate_result: max_line_width when none is given.
MAX_LINE_CHARACTERS = 1000


@dataclass(frozen=True)
class Word:
    """One word with its leading space, as Whisper gives it; `probability` from 0 to 1."""

    start_seconds: float
    end_seconds: float
    text: str
    probability: float


@dataclass(frozen=True)
class Segment:
    """What Whisper returns; times from the start of the recording, `words` only where they were asked for."""

    start_seconds: float
    end_seconds: float
    text: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Transcript:
    """All segments in order. `covered_seconds` of `duration_seconds` were transcribed (less: incomplete)."""

    language: str
    segments: tuple[Segment, ...]
    duration_seconds: float
    covered_seconds: float

    @property
    def text(self) -> str:
        return "".join(segment.text for segment in self.segments)

    @property
    def coverage(self) -> float:
        """Share transcribed, 0 to 1; an empty recording is covered."""
        if self.duration_seconds <= 0:
            return 1.0
        return min(1.0, self.covered_seconds / self.duration_seconds)

    @property
    def is_complete(self) -> bool:
        return self.covered_seconds >= self.duration_seconds


def offset_segments(segments: Iterable[Segment], offset_seconds: float) -> tuple[Segment, ...]:
    """Move segments of a chunk to the chunk's true start in the recording."""
    return tuple(
        replace(
            segment,
            start_seconds=segment.start_seconds + offset_seconds,
            end_seconds=segment.end_seconds + offset_seconds,
            words=tuple(_offset_word(word, offset_seconds) for word in segment.words),
        )
        for segment in segments
    )


def _offset_word(word: Word, offset_seconds: float) -> Word:
    return replace(
        word,
        start_seconds=word.start_seconds + offset_seconds,
        end_seconds=word.end_seconds + offset_seconds,
    )


def render(transcript: Transcript, format: Format) -> str:
    """Return the whole file as text (UTF-8 when written)."""
    match format:
        case "txt":
            return "".join(f"{segment.text.strip()}\n" for segment in transcript.segments)
        case "tsv":
            return _tsv(transcript.segments)
        case "json":
            return json.dumps(_json_shape(transcript))
        case "srt":
            return srt_text(_cues(transcript.segments))
        case "vtt":
            return vtt_text(_cues(transcript.segments))


def _milliseconds(seconds: float) -> int:
    return round(max(0.0, seconds) * 1000)


def _tsv(segments: Iterable[Segment]) -> str:
    lines = ["start\tend\ttext"]
    for segment in segments:
        text = segment.text.strip().replace("\t", " ")
        lines.append(f"{_milliseconds(segment.start_seconds)}\t{_milliseconds(segment.end_seconds)}\t{text}")
    return "\n".join(lines) + "\n"


def _json_shape(transcript: Transcript) -> dict[str, Any]:
    segments = [_json_segment(number, segment) for number, segment in enumerate(transcript.segments)]
    return {"text": transcript.text, "segments": segments, "language": transcript.language}


def _json_segment(number: int, segment: Segment) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "id": number,
        "start": segment.start_seconds,
        "end": segment.end_seconds,
        "text": segment.text,
    }
    if segment.words:
        shape["words"] = [_json_word(word) for word in segment.words]
    return shape


def _json_word(word: Word) -> dict[str, Any]:
    return {
        "word": word.text,
        "start": word.start_seconds,
        "end": word.end_seconds,
        "probability": word.probability,
    }


def _cues(segments: tuple[Segment, ...]) -> list[Cue]:
    """One subtitle a segment; timed by its words where any segment has words, as whisper does."""
    if not any(segment.words for segment in segments):
        return [_cue_of_segment(segment) for segment in segments]
    timed = (_cue_of_words(segment) if segment.words else _cue_of_segment(segment) for segment in segments)
    return [cue for cue in timed if cue.text]


def _cue_of_segment(segment: Segment) -> Cue:
    return Cue(
        start_milliseconds=_milliseconds(segment.start_seconds),
        end_milliseconds=_milliseconds(segment.end_seconds),
        text=segment.text.strip(),
    )


def _cue_of_words(segment: Segment) -> Cue:
    return Cue(
        start_milliseconds=_milliseconds(segment.words[0].start_seconds),
        end_milliseconds=_milliseconds(segment.words[-1].end_seconds),
        text=_joined_words(segment.words),
    )


def _joined_words(words: tuple[Word, ...]) -> str:
    """The words as they come, the first without its space; a new line where one would get too long."""
    text = ""
    line_characters = 0
    for word in words:
        if line_characters > 0 and line_characters + len(word.text) <= MAX_LINE_CHARACTERS:
            text += word.text
            line_characters += len(word.text)
        else:
            stripped = word.text.strip()
            text += f"\n{stripped}" if line_characters > 0 else stripped
            line_characters = len(stripped)
    return text


__all__ = ["CONTENT_TYPES", "FORMATS", "Format", "Segment", "Transcript", "Word", "offset_segments", "render"]
