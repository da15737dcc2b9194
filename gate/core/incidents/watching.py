"""What the watch of a running process tells an incident: the kind, and the figures against their limits."""

from __future__ import annotations

from gate.core.incidents.kinds import IncidentKind
from gate.core.incidents.measures import Measure
from gate.core.policy import GatePolicy
from gate.core.readings import Vitals

__all__ = ["end_kind", "watch_measures"]


def end_kind(vitals: Vitals, policy: GatePolicy) -> IncidentKind:
    """Why a process was ended: too hot (also after a long pause), or too little memory."""
    celsius = vitals.temperature.deciding.celsius if vitals.temperature.deciding else None
    is_too_hot = celsius is not None and celsius >= policy.end_celsius
    available = vitals.memory.available_bytes
    is_short = available is not None and available < policy.end_available_bytes
    return IncidentKind.MEMORY_END if is_short and not is_too_hot else IncidentKind.THERMAL_END


def watch_measures(vitals: Vitals, policy: GatePolicy, *, ended: bool = False) -> list[Measure]:
    """Temperature against the mark at which it is paused (or `ended`), available memory against its floor."""
    found: list[Measure] = []
    deciding = vitals.temperature.deciding
    if deciding is not None and deciding.celsius is not None:
        too_hot = ended and deciding.celsius >= policy.end_celsius
        limit = policy.end_celsius if too_hot else policy.trip_celsius
        found.append(
            Measure(name="temperature", value=deciding.celsius, limit=limit, unit="°C", source=deciding.id),
        )
    if vitals.memory.available_bytes is not None:
        found.append(
            Measure(
                name="available memory",
                value=vitals.memory.available_bytes,
                limit=policy.end_available_bytes,
                unit="bytes",
                at_least=True,
                source=vitals.memory.source,
            )
        )
    return found
