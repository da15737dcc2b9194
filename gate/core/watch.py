"""What to do with a heavy process that runs: let it be, pause it, let it go on, or end it. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from gate.core.policy import GatePolicy
from gate.core.readings import Vitals
from gate.core.units import bytes_text, celsius_text, seconds_text

__all__ = ["Act", "WatchState", "Watched", "watch"]

# Low memory must be seen this many looks in a row: one look can meet a moment between a free and a malloc.
_LOW_LOOKS = 3


class Act(StrEnum):
    NONE = "none"
    PAUSE = "pause"
    RESUME = "resume"
    END = "end"


@dataclass(frozen=True, kw_only=True)
class WatchState:
    """What one watch remembers from look to look. `paused_at_seconds`: monotonic; None while it runs."""

    paused_at_seconds: float | None = None
    low_looks: int = 0


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The decision, its reason in words, and the state for the next look. `is_for_heat`: paused or ended for it."""

    act: Act
    reason: str
    state: WatchState
    is_for_heat: bool = False


def watch(vitals: Vitals, policy: GatePolicy, state: WatchState, *, at_seconds: float) -> Watched:
    """Decide at `at_seconds` (monotonic). A temperature that cannot be read changes nothing while it runs."""
    state = replace(state, low_looks=_low_looks(vitals, policy, state))
    if reason := _heat_end_reason(vitals, policy, state, at_seconds):
        return Watched(act=Act.END, reason=reason, state=state, is_for_heat=True)
    if state.low_looks >= _LOW_LOOKS:
        return Watched(act=Act.END, reason=_low_text(vitals, policy), state=state)
    celsius = _celsius(vitals)
    if celsius is None:
        return Watched(act=Act.NONE, reason="", state=state)
    if state.paused_at_seconds is None and celsius >= policy.trip_celsius:
        paused = replace(state, paused_at_seconds=at_seconds)
        return Watched(act=Act.PAUSE, reason=_hot_text(celsius, policy), state=paused, is_for_heat=True)
    if state.paused_at_seconds is not None and celsius < policy.reset_celsius:
        pause_seconds = at_seconds - state.paused_at_seconds
        reason = f"{celsius_text(celsius)}, cool again after {seconds_text(pause_seconds)}"
        return Watched(act=Act.RESUME, reason=reason, state=replace(state, paused_at_seconds=None))
    return Watched(act=Act.NONE, reason="", state=state)


def _heat_end_reason(vitals: Vitals, policy: GatePolicy, state: WatchState, at_seconds: float) -> str:
    celsius = _celsius(vitals)
    if celsius is not None and celsius >= policy.end_celsius:
        return f"{celsius_text(celsius)}, limit {celsius_text(policy.end_celsius)}"
    if state.paused_at_seconds is not None and at_seconds - state.paused_at_seconds > policy.pause_limit_seconds:
        return f"paused for heat longer than {seconds_text(policy.pause_limit_seconds)}"
    return ""


def _low_text(vitals: Vitals, policy: GatePolicy) -> str:
    limit = bytes_text(policy.end_available_bytes)
    return f"{bytes_text(vitals.memory.available_bytes or 0)} of memory available, limit {limit}"


def _low_looks(vitals: Vitals, policy: GatePolicy, state: WatchState) -> int:
    available_bytes = vitals.memory.available_bytes
    is_low = available_bytes is not None and available_bytes < policy.end_available_bytes
    return state.low_looks + 1 if is_low else 0


def _celsius(vitals: Vitals) -> float | None:
    value = vitals.temperature.deciding.celsius if vitals.temperature.deciding else None
    return value if value is not None and math.isfinite(value) else None


def _hot_text(celsius: float, policy: GatePolicy) -> str:
    trip, reset = celsius_text(policy.trip_celsius), celsius_text(policy.reset_celsius)
    return f"{celsius_text(celsius)}, limit {trip}; goes on below {reset}"
