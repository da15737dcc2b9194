"""Word error rate and segment-time errors: plain Python, importable by the tests."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[a-z0-9']+")


def normalise(text: str) -> list[str]:
    """The words of a text: lower case, without punctuation."""
    return _WORD.findall(text.lower())


def edit_distance(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """Fewest substitutions, insertions and deletions which turn the reference into the hypothesis (Levenshtein)."""
    row = list(range(len(hypothesis) + 1))
    for i, wanted in enumerate(reference, start=1):
        diagonal, row[0] = row[0], i
        for j, got in enumerate(hypothesis, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (wanted != got))
    return row[-1]


def word_error_rate(reference: str, hypothesis: str) -> float:
    """Edit distance in words over the number of words in the reference (may exceed 1)."""
    wanted, got = normalise(reference), normalise(hypothesis)
    if not wanted:
        return float(len(got) > 0)
    return edit_distance(wanted, got) / len(wanted)


@dataclass(frozen=True)
class Span:
    """Something said from start to end, in seconds."""

    start: float
    end: float
    text: str = ""


@dataclass(frozen=True)
class TimeErrors:
    """Absolute errors in seconds, one or two per utterance; utterances no segment overlaps are counted apart."""

    starts: tuple[float, ...]
    ends: tuple[float, ...]
    missed: int

    @property
    def all(self) -> tuple[float, ...]:
        return self.starts + self.ends


def time_errors(truth: Sequence[Span], segments: Sequence[Span]) -> TimeErrors:
    """Compare each true utterance with the recognised segment (with text) which overlaps it most."""
    spoken = [s for s in segments if s.text.strip()]
    starts: list[float] = []
    ends: list[float] = []
    missed = 0
    for utterance in truth:
        best = max(spoken, key=lambda s: min(s.end, utterance.end) - max(s.start, utterance.start), default=None)
        if best is None or min(best.end, utterance.end) <= max(best.start, utterance.start):
            missed += 1
            continue
        starts.append(abs(best.start - utterance.start))
        ends.append(abs(best.end - utterance.end))
    return TimeErrors(tuple(starts), tuple(ends), missed)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value which at least `share` (0..1) of the values do not exceed; NaN without values."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]
