"""Stretches without sound in words: a few have a line each, many have one, with the single ones below it."""

from __future__ import annotations

from transcribe.audio.prepare import BrokenStretch
from transcribe.broken_lines import Note, broken_lines, notes_from

PAUSE = "nothing readable in the file for this stretch"


def gaps(count: int) -> list[BrokenStretch]:
    return [BrokenStretch(10.0 * number, 10.0 * number + 1.5, PAUSE) for number in range(count)]


def test_three_gaps_are_three_lines() -> None:
    assert broken_lines(gaps(3))[1] == f"No sound could be read from 10.0 s to 11.5 s ({PAUSE}); silence stands there."
    assert len(broken_lines(gaps(3))) == 3


def test_forty_one_gaps_are_one_line_with_details() -> None:
    (note,) = notes_from(broken_lines(gaps(41)))

    assert note.text == f"41 gaps, 62 s in all, hold no sound ({PAUSE}); silence stands there."
    assert note.details[:2] == ("0.0 s to 1.5 s", "10.0 s to 11.5 s")
    assert len(note.details) == 41


def test_details_that_help_nobody_are_counted() -> None:
    (note,) = notes_from(broken_lines(gaps(1000)))

    assert len(note.details) == 201
    assert note.details[-1] == "and 800 more"


def test_damage_of_many_words_is_one_line() -> None:
    broken = [BrokenStretch(float(n), n + 0.5, f"damaged data: bad frame {n}") for n in range(5)]

    (note,) = notes_from(broken_lines(broken))

    assert note.text == "5 gaps, 2 s in all, hold no sound (damaged data); silence stands there."


def test_a_jump_of_the_clock_is_told_with_its_place() -> None:
    broken = [BrokenStretch(4.0, 4.0, "the file's clock jumps")]

    assert broken_lines(broken) == ["At 4.0 s the file's clock jumps."]


def test_other_lines_stay_as_they_are() -> None:
    assert notes_from(["One.", "Two."]) == (Note("One."), Note("Two."))
