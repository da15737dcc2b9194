"""Memory pressure before a start: the measurement and the limit that end a running engine."""

from __future__ import annotations

from gate.core.sensors import read_pressure
from gate.core.watch import pressure_refusal
from gate.services.policy import policy_in_force

__all__ = ["memory_pressure_refusal"]


def memory_pressure_refusal() -> str:
    """The figure and its limit where nothing heavy should be started now; empty when pressure is within its limit."""
    return pressure_refusal(read_pressure(), policy_in_force())
