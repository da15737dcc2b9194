"""How often something is done by whoever comes by more often."""

from __future__ import annotations

__all__ = ["Rhythm"]


class Rhythm:
    """Something that is due now and then; at once, first. A clock that is set back makes it due."""

    def __init__(self, every_seconds: float) -> None:
        self._every_seconds = every_seconds
        self._done_at: float | None = None

    def is_due(self, now: float) -> bool:
        return self._done_at is None or not 0 <= now - self._done_at < self._every_seconds

    def done(self, now: float) -> None:
        self._done_at = now
