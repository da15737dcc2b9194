"""How a further occurrence changes what is known: the worst of each measure, causes and recovery without repeats."""

from __future__ import annotations

from collections.abc import Iterable

from gate.core.incidents.measures import Measure

__all__ = ["MEASURES_KEPT", "added_lines", "joined_texts", "with_words_of", "worst_of"]

MEASURES_KEPT = 20
_TEXTS_KEPT = 20


def worst_of(known: Iterable[Measure], new: Iterable[Measure]) -> tuple[Measure, ...]:
    """For each name the measure that is further beyond its limit; the earlier one where both are alike."""
    worst: dict[str, Measure] = {}
    for measure in (*known, *new):
        before = worst.get(measure.name)
        if before is None or _beyond(measure) > _beyond(before):
            worst[measure.name] = measure
    return tuple(worst.values())[:MEASURES_KEPT]


def joined_texts(known: Iterable[str], new: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(text for text in (*known, *new) if text))[:_TEXTS_KEPT]


def added_lines(known: str, new: str) -> str:
    """What is known, and the new lines that are not in it yet, as long as there are few; nothing known is dropped."""
    lines = known.splitlines()
    added = [line for line in dict.fromkeys(new.splitlines()) if line and line not in lines]
    return "\n".join([*lines, *added[: max(0, _TEXTS_KEPT - len(lines))]])


def with_words_of(known: str, person: str) -> str:
    """What a person wrote comes after what is known, whole, however much that is."""
    return f"{known}\n{person}".strip("\n")


def _beyond(measure: Measure) -> float:
    beyond = measure.limit - measure.value if measure.at_least else measure.value - measure.limit
    return beyond / abs(measure.limit) if measure.limit else beyond
