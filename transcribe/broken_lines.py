"""Stretches without sound in words: a line each, or one for many with the single ones below it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from transcribe.audio.prepare import BrokenStretch

# More than this of one kind are one line: a conference leaves out hundreds of pauses.
FEW = 3
# Details beyond these help nobody.
MAX_DETAILS = 200
# How a line begins that belongs to the one before it.
DETAIL_MARK = "· "


@dataclass(frozen=True)
class Note:
    """A line of a job's notes, and the details folded below it."""

    text: str
    details: tuple[str, ...] = ()


def broken_lines(broken: Sequence[BrokenStretch]) -> list[str]:
    """The lines of a job's note, in the order of the stretches."""
    by_kind: dict[tuple[bool, str], list[BrokenStretch]] = {}
    for stretch in broken:
        # Before the colon stands the kind of damage, behind it the decoder's words for this one place.
        by_kind.setdefault((_is_gap(stretch), stretch.reason.partition(":")[0]), []).append(stretch)
    return [line for (_, reason), stretches in by_kind.items() for line in _lines(stretches, reason)]


def notes_from(lines: Sequence[str]) -> tuple[Note, ...]:
    """A job's note, its details put below the lines that they belong to."""
    notes: list[Note] = []
    for is_detail, group in groupby(lines, key=lambda line: line.startswith(DETAIL_MARK)):
        if is_detail and notes:
            details = tuple(line.removeprefix(DETAIL_MARK) for line in group)
            notes[-1] = Note(notes[-1].text, details)
        else:
            notes += [Note(line) for line in group]
    return tuple(notes)


def _lines(stretches: Sequence[BrokenStretch], reason: str) -> list[str]:
    if len(stretches) <= FEW:
        return [_text(stretch) for stretch in stretches]
    details = [DETAIL_MARK + _short_text(stretch) for stretch in stretches[:MAX_DETAILS]]
    if len(stretches) > MAX_DETAILS:
        details.append(f"{DETAIL_MARK}and {len(stretches) - MAX_DETAILS} more")
    return [_summary(stretches, reason), *details]


def _summary(stretches: Sequence[BrokenStretch], reason: str) -> str:
    if not _is_gap(stretches[0]):
        return f"At {len(stretches)} places {reason}."
    seconds = sum(stretch.end_seconds - stretch.start_seconds for stretch in stretches)
    return f"{len(stretches)} gaps, {seconds:.0f} s in all, hold no sound ({reason}); silence stands there."


def _text(stretch: BrokenStretch) -> str:
    if not _is_gap(stretch):
        return f"At {stretch.start_seconds:.1f} s {stretch.reason}."
    return (
        f"No sound could be read from {stretch.start_seconds:.1f} s to {stretch.end_seconds:.1f} s "
        f"({stretch.reason}); silence stands there."
    )


def _short_text(stretch: BrokenStretch) -> str:
    if not _is_gap(stretch):
        return f"at {stretch.start_seconds:.1f} s"
    return f"{stretch.start_seconds:.1f} s to {stretch.end_seconds:.1f} s"


def _is_gap(stretch: BrokenStretch) -> bool:
    return stretch.end_seconds > stretch.start_seconds


__all__ = ["DETAIL_MARK", "Note", "broken_lines", "notes_from"]
