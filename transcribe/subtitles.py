"""Subtitles in whisper's dialect of srt and vtt, written with pysubs2."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from io import StringIO
from typing import Any, TextIO

from pysubs2 import SSAEvent, SSAFile
from pysubs2.formats.subrip import SubripFormat
from pysubs2.formats.webvtt import WebVTTFormat
from pysubs2.time import ms_to_times

# pysubs2 reads \N, \n and \h in a text as line breaks and spaces, {\…} as styling. A private-use character
# stands for the backslash while it writes, so that "C:\new" comes out as it was said.
BACKSLASH_STAND_IN = "\ue000"
# HTML's character references as WebVTT's parser knows them (W3C WebVTT, 6.4): only these make an & markup.
ENTITY_START = re.compile(r"&(?=#|[A-Za-z]+;)")

# With all its hyphens: replacing "-->" alone makes an arrow of "--->".
ARROW = re.compile(r"-{2,}>")


@dataclass(frozen=True, kw_only=True)
class Cue:
    """One subtitle: plain text, lines parted by \\n."""

    start_milliseconds: int
    end_milliseconds: int
    text: str


# The project's mypy settings skip pysubs2, so its classes are Any there.
class WhisperSubrip(SubripFormat):  # type: ignore[misc]
    """Hours always, and no ceiling at 100 h (pysubs2 clamps there)."""

    @staticmethod
    def ms_to_timestamp(ms: int) -> str:
        hours, minutes, seconds, milliseconds = ms_to_times(ms)
        return f"{hours:02d}:{minutes:02d}:{seconds:02d},{milliseconds:03d}"


class WhisperWebVtt(WebVTTFormat):  # type: ignore[misc]
    """Hours only where there are any, and no numbers before the times."""

    @staticmethod
    def ms_to_timestamp(ms: int) -> str:
        hours, minutes, seconds, milliseconds = ms_to_times(ms)
        shown_hours = f"{hours:02d}:" if hours else ""
        return f"{shown_hours}{minutes:02d}:{seconds:02d}.{milliseconds:03d}"

    @classmethod
    def to_file(cls, subs: SSAFile, fp: TextIO, format_: str, **_: Any) -> None:
        fp.write("WEBVTT\n\n")
        for event in subs:
            start, end = cls.ms_to_timestamp(event.start), cls.ms_to_timestamp(event.end)
            fp.write(f"{start} --> {end}\n{event.text}\n\n")


def srt_text(cues: Iterable[Cue]) -> str:
    return _written(WhisperSubrip, "srt", cues)


def vtt_text(cues: Iterable[Cue]) -> str:
    escaped = (
        Cue(
            start_milliseconds=cue.start_milliseconds,
            end_milliseconds=cue.end_milliseconds,
            text=ENTITY_START.sub("&amp;", cue.text).replace("<", "&lt;"),
        )
        for cue in cues
    )
    return _written(WhisperWebVtt, "vtt", escaped)


def _written(writer: type[SubripFormat], name: str, cues: Iterable[Cue]) -> str:
    subtitles = SSAFile()
    for cue in cues:
        text = _safe(cue.text).replace("\\", BACKSLASH_STAND_IN)
        subtitles.append(SSAEvent(start=cue.start_milliseconds, end=cue.end_milliseconds, text=text))
    out = StringIO()
    writer.to_file(subtitles, out, name, keep_ssa_tags=True)
    return out.getvalue().replace(BACKSLASH_STAND_IN, "\\")


def _safe(text: str) -> str:
    """No arrow and no empty line: both would end the subtitle in the middle of its text. CR alone ends a line, too."""
    return re.sub(r"\s*[\r\n]\s*", "\n", ARROW.sub("->", text))


__all__ = ["Cue", "srt_text", "vtt_text"]
