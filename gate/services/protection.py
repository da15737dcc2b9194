"""What must outlive its time because something points to it: the evidence of an incident.

Who keeps such evidence registers a callable for the stretches of time and one for the paths it needs. Whatever removes
old rows and files asks here first, each time. A callable that fails ends the removal: nothing is removed on a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gate.core.incidents.lifecycle import Span, gaps_before

__all__ = ["TimeSpan", "gaps_between", "protect_paths", "protect_spans", "protected_paths", "protected_spans"]


@dataclass(frozen=True)
class TimeSpan:
    """Everything that was recorded in it is kept; both ends belong to it, and have a time zone."""

    begins_at: datetime
    ends_at: datetime


SpanSource = Callable[[], Iterable[TimeSpan]]
PathSource = Callable[[], Iterable[Path]]

_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)

_span_sources: list[SpanSource] = []
_path_sources: list[PathSource] = []


def protect_spans(source: SpanSource) -> SpanSource:
    """Register; may be used as a decorator. The same callable counts once."""
    if source not in _span_sources:
        _span_sources.append(source)
    return source


def protect_paths(source: PathSource) -> PathSource:
    """Register; may be used as a decorator. A folder protects all that is in it."""
    if source not in _path_sources:
        _path_sources.append(source)
    return source


def protected_spans() -> tuple[TimeSpan, ...]:
    return tuple(span for source in _span_sources for span in source())


def gaps_between(spans: Iterable[TimeSpan], until: datetime) -> list[tuple[datetime, datetime]]:
    """What may be removed before `until`: the open intervals between the protected spans, in order.

    One by one, because a condition that names a thousand spans is more than SQLite takes (SQLITE_MAX_EXPR_DEPTH).
    """
    kept = [Span(span.begins_at.timestamp(), span.ends_at.timestamp()) for span in spans]
    gaps = gaps_before(kept, until.timestamp())
    return [(_BEGINNING if after is None else _moment(after), _moment(before)) for after, before in gaps]


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def protected_paths() -> frozenset[Path]:
    return frozenset(path for source in _path_sources for path in source())
