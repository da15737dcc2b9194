"""Our five files are whisper's, byte for byte: compared with what its own writers make of the same result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.whisper_files import ours, result, spoken, whispers, with_words
from transcribe.transcript import FORMATS, Format, Segment

ORDINARY: dict[str, tuple[Segment, ...]] = {
    "two": spoken((0.0, 2.5, " The gate is open."), (2.5, 61.04, " One job at a time.")),
    "empty": (),
    "silent": spoken((0.0, 1.0, ""), (1.0, 2.0, "  ")),
    "letters": spoken((0.0, 1.0, " Grüße, “你好” 🎙 — naïve")),
    "tabs": spoken((0.0, 1.0, " one\ttwo")),
    "two lines": spoken((0.0, 1.0, " first line\nsecond line")),
    "arrow": spoken((0.0, 1.0, " a --> b")),
    "backslashes": spoken((0.0, 1.0, r" C:\new\Name\home {\i1}"), (1.0, 2.0, r" \N \h {\an8}")),
    "rounding": spoken((0.0004, 0.0005, " a"), (0.0005, 1.9995, " b"), (59.9995, 59.9996, " c")),
    "long": spoken((3599.9994, 3599.9996, " a"), (3600.0, 7325.123, " b"), (359_999.0, 360_000.5, " c")),
    "no end": spoken((5.0, 5.0, " a"), (5.0, 4.0, " b")),
    "entities": spoken((0.0, 1.0, " fish & chips &")),
    "words": (with_words(0.0, 1.5, " The", " gate", " is", " open."), with_words(2.0, 3.0, " One", " job.")),
    "one word": (with_words(0.25, 0.5, " Yes."),),
    "joined words": (with_words(0.0, 1.0, "你", "好", "。"),),
    "a very long line": (with_words(0.0, 60.0, *[" word"] * 401),),
}


@pytest.mark.parametrize("format", ["txt", "srt", "vtt", "tsv"])
@pytest.mark.parametrize("case", ORDINARY)
def test_it_is_whispers_file(case: str, format: Format, tmp_path: Path) -> None:
    assert ours(ORDINARY[case], format) == whispers(ORDINARY[case], format, tmp_path)


@pytest.mark.parametrize("case", ORDINARY)
def test_the_json_is_what_whisper_writes_without_the_decoders_figures(case: str, tmp_path: Path) -> None:
    assert ours(ORDINARY[case], "json") == whispers(ORDINARY[case], "json", tmp_path)


def test_the_json_reads_as_whispers_result() -> None:
    segments = ORDINARY["words"]
    assert json.loads(ours(segments, "json")) == result(segments)


def test_there_are_whispers_five_formats() -> None:
    assert FORMATS == ("txt", "srt", "vtt", "tsv", "json")
