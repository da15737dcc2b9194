"""When a job that was lost is tried again: each time it got nowhere, later than the time before. Pure."""

from __future__ import annotations

__all__ = ["RETRY_CAP_SECONDS", "retry_delay"]

# Half an hour: a machine that could not do it six times in a row is not asked more often than that.
RETRY_CAP_SECONDS = 1800.0
_DOUBLINGS = 30  # beyond that a float of seconds says nothing more


def retry_delay(fruitless: int, *, base_seconds: float, cap_seconds: float = RETRY_CAP_SECONDS) -> float:
    """Seconds to wait after `fruitless` tries in a row: none after 0, the base after 1, then doubling to the cap."""
    if fruitless <= 0:
        return 0.0
    return min(max(cap_seconds, base_seconds), base_seconds * 2.0 ** min(fruitless - 1, _DOUBLINGS))
