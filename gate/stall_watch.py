"""A thread that only looks at the clocks every second: what a slow database takes is no stall of the machine."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator

from gate.core.incidents.stall import Clocks, Stall, read_clocks, stall_between

__all__ = ["StallWatch"]

_EVERY_SECONDS = 1.0
_KEPT = 20


class StallWatch:
    """`start`, then take what it `found` from time to time, then `stop`."""

    def __init__(self, limit_seconds: float) -> None:
        self._limit_seconds = limit_seconds
        self._found: deque[tuple[Stall, Clocks]] = deque(maxlen=_KEPT)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stall watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def found(self) -> Iterator[tuple[Stall, float]]:
        """Each stall once, with when it was over, in unix seconds."""
        while self._found:
            stall, clocks = self._found.popleft()
            yield stall, clocks.wall

    def _run(self) -> None:
        before = read_clocks()
        while not self._stop.wait(_EVERY_SECONDS):
            after = read_clocks()
            stall = stall_between(before, after, self._limit_seconds)
            if stall is not None:
                self._found.append((stall, after))
            before = after
