from __future__ import annotations

import pytest

from transcribe.names import clean_name, stem_of

SENTENCE = "Interview with Dr. Smith about the weather and the machines"


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("talk.mp3", "talk.mp3"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\Users\\me\\talk.mp3", "talk.mp3"),
        ('say "hi" & <b>.wav', 'say "hi" & <b>.wav'),
        ("it's.wav", "it's.wav"),
        ("🎙 Grüße 你好.ogg", "🎙 Grüße 你好.ogg"),
        ("a\x00b\x1b[31m\r\n.wav", "ab[31m .wav"),
        ("\u202egpj.exe", "gpj.exe"),
        ("  talk.mp3  ", "talk.mp3"),
        ("a \x00 b.mp3", "a b.mp3"),
        ("Screen Recording at 9.41.00\u202fAM.mov", "Screen Recording at 9.41.00 AM.mov"),
        ("会議\u3000録音.m4a", "会議 録音.m4a"),
        ("a\u00a0b\tc\n\nd\u2028e.wav", "a b c d e.wav"),
        ("می\u200cخواهم.mp3", "می\u200cخواهم.mp3"),
        ("👨\u200d👩\u200d👧.mp3", "👨\u200d👩\u200d👧.mp3"),
        ("\u200d\u200c", "unnamed"),
        (SENTENCE, SENTENCE),
        ("a." + "x" * 30, "a." + "x" * 30),
        ("", "unnamed"),
        ("folder/", "unnamed"),
        ("\x00", "unnamed"),
    ],
)
def test_it_keeps_what_a_person_would_recognise(name: str, cleaned: str) -> None:
    assert clean_name(name) == cleaned


@pytest.mark.parametrize("length", [254, 255, 256, 300, 5000])
def test_it_shortens_to_255_and_keeps_the_ending(length: int) -> None:
    cleaned = clean_name("x" * (length - 4) + ".mp3")
    assert cleaned == "x" * (min(length, 255) - 4) + ".mp3"


def test_an_ending_that_is_none_is_shortened_too() -> None:
    assert clean_name("x" * 200 + "." + "y" * 200) == "x" * 200 + "." + "y" * 54


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("talk.mp3", "talk"),
        ("talk.MP3", "talk"),
        ("meeting 2024.01.15", "meeting 2024.01.15"),
        ("meeting 2024.01.15.m4a", "meeting 2024.01.15"),
        ("release v1.5", "release v1.5"),
        ("Interview with Dr. Smith", "Interview with Dr. Smith"),
        ("tape.mxf", "tape"),
        (".mp3", ".mp3"),
    ],
)
def test_an_ending_goes_only_where_it_is_one(name: str, stem: str) -> None:
    assert stem_of(name) == stem
