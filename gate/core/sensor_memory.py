"""What one process remembers about sensors between snapshots. Not shared, not stored."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from gate.core.answering import Answering
from gate.core.proctable import ArgvCache
from gate.core.thermal import HistoryPoint, RawSensor, is_flatlined

__all__ = ["SensorMemory"]

# Enumerating an Apple SMC costs milliseconds for each key, so all sensors are read once a minute.
ENUMERATE_EVERY_SECONDS = 60.0
# Sooner while none decides: one that comes back should not be missed for a minute.
SEARCH_EVERY_SECONDS = 5.0
# One point in 10 s, 15 min of them: enough for the flatline rule.
_POINT_EVERY_SECONDS = 10.0
_POINTS = 90


@dataclass
class SensorMemory:
    """Give `ever_seen=True` when this machine is known to have had a usable sensor."""

    ever_seen: bool = False
    sensors: tuple[RawSensor, ...] = ()
    fan_rpm: int | None = None
    enumerated_at_seconds: float | None = None  # monotonic
    argv_cache: ArgvCache = field(default_factory=ArgvCache)
    answering: Answering = field(default_factory=Answering, repr=False)
    guard: threading.RLock = field(default_factory=threading.RLock, repr=False)
    ids: dict[str, str] = field(default_factory=dict)  # by the real path of their files
    _history: dict[str, deque[HistoryPoint]] = field(default_factory=dict)

    def enumeration_due(self, at_seconds: float, *, searching: bool) -> bool:
        last = self.enumerated_at_seconds
        every_seconds = SEARCH_EVERY_SECONDS if searching else ENUMERATE_EVERY_SECONDS
        return last is None or at_seconds - last >= every_seconds

    def remember(self, sensor: RawSensor, at_seconds: float, load1: float | None) -> None:
        """Keep a point for the flatline rule; without a load there is nothing to compare with."""
        if sensor.celsius is None or load1 is None:
            return
        points = self._history.setdefault(sensor.id, deque(maxlen=_POINTS))
        if not points or at_seconds - points[-1].at_seconds >= _POINT_EVERY_SECONDS:
            points.append(HistoryPoint(at_seconds, sensor.celsius, load1))
        elif points[-1].celsius != sensor.celsius:
            points[-1] = HistoryPoint(points[-1].at_seconds, sensor.celsius, load1)

    def flatlined(self) -> frozenset[str]:
        return frozenset(id_ for id_, points in self._history.items() if is_flatlined(tuple(points)))
