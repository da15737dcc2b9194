"""`-->` stands between the times of a subtitle, and never in its text, whatever the transcript says."""

from __future__ import annotations

import itertools

import pytest

from tests.support.whisper_files import ours, spoken, with_words
from transcribe.transcript import Format

PIECES = ("-", "--", ">", " ", "\n", "\\", "{", "}", "<", "&")
BOTH: tuple[Format, ...] = ("srt", "vtt")


def arrows(text: str, format: Format) -> int:
    return ours(spoken((0.0, 1.0, text)), format).count("-->")


@pytest.mark.parametrize("format", BOTH)
@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("left --> right", "left -> right"),
        ("left ---> right", "left -> right"),
        ("-----> ----->", "-> ->"),
        ("a-->b--->c", "a->b->c"),
        ("left -- > right", "left -- > right"),
        ("left -> right", "left -> right"),
    ],
)
def test_the_arrow_is_shortened(text: str, written: str, format: Format) -> None:
    file = ours(spoken((0.0, 1.0, text)), format)
    assert written in file
    assert file.count("-->") == 1


@pytest.mark.parametrize("format", BOTH)
def test_no_mixture_of_signs_makes_one(format: Format) -> None:
    mixtures = ["x" + "".join(pieces) + "x" for pieces in itertools.product(PIECES, repeat=4)]
    assert [text for text in mixtures if arrows(text, format) != 1] == []


@pytest.mark.parametrize("format", BOTH)
def test_nor_do_words_that_meet(format: Format) -> None:
    file = ours([with_words(0.0, 3.0, " from", " -", "--", ">", " to")], format)
    assert file.count("-->") == 1
    assert "from -> to" in file
