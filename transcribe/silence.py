"""How long an engine may say nothing before it counts as hung: learned from its own speed. Pure."""

from __future__ import annotations

__all__ = ["WINDOWS_OF_SILENCE", "silence_limit"]

# Whisper's fallback decodes one window with up to six temperatures, the sampled ones five times over
# (`best_of`), and a busy machine gives a nice 10 process little: 20 covers both with room.
WINDOWS_OF_SILENCE = 20


def silence_limit(slowest_window_seconds: float | None, *, floor_seconds: float, ceiling_seconds: float) -> float:
    """20 times the slowest window, at least the floor, never above the ceiling; the ceiling while none was read."""
    if slowest_window_seconds is None:
        return ceiling_seconds
    return min(ceiling_seconds, max(floor_seconds, WINDOWS_OF_SILENCE * slowest_window_seconds))
