"""Where our files differ from whisper's on purpose (transcribe/transcript.py says why)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.whisper_files import ours, spoken, whispers, with_words
from transcribe.transcript import Format, Segment, offset_segments


def test_an_arrow_in_a_subtitle_of_words_is_made_safe(tmp_path: Path) -> None:
    segments = (with_words(0.0, 1.0, " a", " -->", " b"),)
    assert whispers(segments, "srt", tmp_path) == "1\n00:00:00,000 --> 00:00:01,000\na --> b\n\n"
    assert ours(segments, "srt") == "1\n00:00:00,000 --> 00:00:01,000\na -> b\n\n"


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (" <b>loud</b>", "&lt;b>loud&lt;/b>"),
        (" AT&amp;T", "AT&amp;amp;T"),
        (" &#65;", "&amp;#65;"),
        (" AT&T", "AT&T"),
        (" a & b", "a & b"),
        (" a < b > c", "a &lt; b > c"),
    ],
)
def test_a_player_does_not_take_what_was_said_for_markup(said: str, written: str) -> None:
    assert ours(spoken((0.0, 1.0, said)), "vtt") == f"WEBVTT\n\n00:00.000 --> 00:01.000\n{written}\n\n"


@pytest.mark.parametrize("said", [" a\n\nb", " a\n \n\t\nb", " a\r\n\r\nb", " a\r\rb", " a\r\n\nb"])
@pytest.mark.parametrize(
    ("format", "written"),
    [
        ("srt", "1\n00:00:00,000 --> 00:00:01,000\na\nb\n\n"),
        ("vtt", "WEBVTT\n\n00:00.000 --> 00:01.000\na\nb\n\n"),
    ],
)
def test_an_empty_line_does_not_end_a_subtitle(said: str, format: Format, written: str) -> None:
    assert ours(spoken((0.0, 1.0, said)), format) == written


def test_a_segment_without_words_keeps_its_own_times_among_others(tmp_path: Path) -> None:
    segments = (with_words(0.0, 1.0, " a"), Segment(1.0, 2.0, " b"), with_words(2.0, 3.0, " c"))
    assert "\nb\n" not in whispers(segments, "srt", tmp_path)
    assert "\n00:00:01,000 --> 00:00:02,000\nb\n" in ours(segments, "srt")


@pytest.mark.parametrize(
    ("format", "start"), [("srt", "00:00:00,000 -->"), ("vtt", "00:00.000 -->"), ("tsv", "\n0\t1000\t")]
)
def test_a_time_before_the_beginning_is_the_beginning(format: Format, start: str) -> None:
    assert start in ours(spoken((-0.02, 1.0, " a")), format)


def test_a_chunk_is_moved_to_its_place_with_its_words() -> None:
    (moved,) = offset_segments([with_words(1.0, 2.0, " a", " b")], 600.5)
    assert (moved.start_seconds, moved.end_seconds) == (601.5, 602.5)
    assert [(word.start_seconds, word.end_seconds) for word in moved.words] == [(601.5, 602.0), (602.0, 602.5)]
