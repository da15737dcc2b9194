from __future__ import annotations

import pytest

from transcribe.download_names import MAX_NAME_BYTES, download_name


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("talk", "talk.srt"),
        ("talk.mp3", "talk.srt"),
        ("release v1.5", "release v1.5.srt"),
        ("../../etc/passwd", "etc_passwd.srt"),
        ('a "b" <c> | d?', "a _b_ _c_ _ d.srt"),
        (".hidden", "hidden.srt"),
        ("con", "_con.srt"),
        ("com1.notes", "_com1.notes.srt"),
        ("console", "console.srt"),
        ("line\nbreak\tand  blanks", "line break and blanks.srt"),
        ("\u202egpj", "gpj.srt"),
        ("Grüße 你好 🎙", "Grüße 你好 🎙.srt"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧.srt"),
        ("می\u200cخواهم", "می\u200cخواهم.srt"),
        ("at 9.41\u202fAM", "at 9.41 AM.srt"),
        ("会議\u3000録音", "会議 録音.srt"),
        ("meeting 2024.01.15", "meeting 2024.01.15.srt"),
        ("", "transcript.srt"),
        ("..", "transcript.srt"),
        ("///", "transcript.srt"),
    ],
)
def test_it_makes_a_name_that_any_system_takes(title: str, name: str) -> None:
    assert download_name(title, "srt") == name


@pytest.mark.parametrize("letter", ["x", "ü", "🎙"])
def test_it_cuts_a_long_title_between_characters(letter: str) -> None:
    name = download_name(letter * 300, "json")
    assert len(name.encode()) <= MAX_NAME_BYTES
    assert len(name.encode()) > MAX_NAME_BYTES - len(letter.encode()) - 1
    assert set(name.removesuffix(".json")) == {letter}
