"""A switch with two marks: it trips at the high one and resets only under the low one."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Latch"]


@dataclass(frozen=True)
class Latch:
    tripped: bool = False

    def after(self, value: float, *, trip: float, reset: float) -> Latch:
        """The latch after seeing `value`: from `trip` on tripped, below `reset` not, else as before."""
        if value >= trip:
            return Latch(True)
        return Latch(False) if value < reset else self
