"""Statuses of an incident, which may follow which, what of its occurrences is kept, and which samples it holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["JOINS_KEPT", "IncidentStatus", "Span", "can_move", "gaps_before", "kept_spans", "merged"]

# Each of the first occurrences gets a line of its own; after these, the last line counts.
JOINS_KEPT = 20
# What led to it, and what came of it: a model loads and a machine cools in less.
AROUND_SECONDS = 15 * 60.0


class IncidentStatus(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


_NEXT = {
    IncidentStatus.OPEN: {IncidentStatus.ACKNOWLEDGED, IncidentStatus.RESOLVED},
    IncidentStatus.ACKNOWLEDGED: {IncidentStatus.RESOLVED},
    IncidentStatus.RESOLVED: {IncidentStatus.OPEN},
}


def can_move(old: IncidentStatus, new: IncidentStatus) -> bool:
    return new in _NEXT[old]


@dataclass(frozen=True, order=True)
class Span:
    """From `start` to `end`, both included, in unix seconds."""

    start: float
    end: float


def kept_spans(moments: Iterable[float]) -> tuple[Span, ...]:
    """The time around each occurrence that is told; not all between them, which may be weeks."""
    return merged(Span(at - AROUND_SECONDS, at + AROUND_SECONDS) for at in moments)


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """In order, with what touches or overlaps made one."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return tuple(found)


def gaps_before(spans: Iterable[Span], until: float) -> tuple[tuple[float | None, float], ...]:
    """What may be removed before `until`: intervals (after, before) between the spans; None: from the beginning."""
    found: list[tuple[float | None, float]] = []
    after: float | None = None
    for span in merged(spans):
        if span.start >= until:
            break
        found.append((after, span.start))
        after = span.end
    if after is None or after < until:
        found.append((after, until))
    return tuple(found)
