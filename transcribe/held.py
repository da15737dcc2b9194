"""How long a process was made to stand still, and for what. Seconds that are nobody's silence and nobody's fault."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

__all__ = ["Held", "HeldFor", "HeldTimes", "Stretch"]


class HeldFor(StrEnum):
    """Kept under these names in `Attempt.held_seconds`."""

    HEAT_PAUSE = "heat pause"
    HEAT_REST = "heat rest"


class Held(Protocol):
    """Something at work that can be made to stand still, from another thread and as often as one likes."""

    def hold(self, what: HeldFor) -> None:
        """Make it stand still."""

    def let_go(self) -> None:
        """Let it go on; harmless where it is not held, or gone."""


class HeldTimes:
    """One thread begins and ends a hold, any thread reads. `clock` is monotonic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._seconds: dict[HeldFor, float] = dict.fromkeys(HeldFor, 0.0)
        self._now: tuple[HeldFor, float] | None = None

    def begin(self, what: HeldFor) -> None:
        """From now on it is held for `what`; a hold for something else ends with that."""
        with self._guard:
            if self._now is not None and self._now[0] is what:
                return
            self._close()
            self._now = (what, self._clock())

    def end(self) -> None:
        with self._guard:
            self._close()

    def seconds(self) -> dict[HeldFor, float]:
        """Of each kind so far, with the hold that lasts."""
        with self._guard:
            found = dict(self._seconds)
            if self._now is not None:
                found[self._now[0]] += self._clock() - self._now[1]
            return found

    def total(self) -> float:
        return sum(self.seconds().values())

    def _close(self) -> None:
        if self._now is not None:
            what, since = self._now
            self._seconds[what] += self._clock() - since
            self._now = None


class Stretch:
    """Seconds since it was made, without those in which it was held."""

    def __init__(self, held: HeldTimes) -> None:
        self._held = held
        self._begun_at = time.monotonic()
        self._held_before = held.total()

    def seconds(self) -> float:
        return time.monotonic() - self._begun_at - (self._held.total() - self._held_before)
