"""What the watch of a running process tells an incident: the kind, and the figures against their limits."""

from __future__ import annotations

from gate.core.incidents.kinds import IncidentKind
from gate.core.incidents.measures import Measure
from gate.core.policy import GatePolicy
from gate.core.readings import Vitals
from gate.core.watch import Cause

__all__ = ["end_kind", "watch_measures"]


def end_kind(cause: Cause | None) -> IncidentKind:
    """Why a process was ended: too hot (also after a long pause), or too little memory."""
    return IncidentKind.MEMORY_END if cause is Cause.MEMORY else IncidentKind.THERMAL_END


def watch_measures(vitals: Vitals, policy: GatePolicy, *, ended: bool = False) -> list[Measure]:
    """Temperature against the mark at which it is paused (or `ended`), available memory, and how many wait for it."""
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
    if vitals.memory.psi_full_avg10 is not None:
        percent, limit = vitals.memory.psi_full_avg10, policy.end_pressure_percent
        found.append(Measure(name="all programs wait for memory", value=percent, limit=limit, unit="% of the time"))
    return found
