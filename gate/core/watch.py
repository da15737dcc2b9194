"""What to do with a heavy process that runs: let it be, rest it, pause it, let it go on, or end it. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from gate.core.incidents.measures import Measure
from gate.core.policy import GatePolicy
from gate.core.readings import Vitals
from gate.core.units import bytes_text, celsius_text, seconds_text

__all__ = [
    "ENDED_FOR",
    "PAUSED_FOR_HEAT",
    "Act",
    "Cause",
    "WatchState",
    "Watched",
    "heat_pause_text",
    "pressure_refusal",
    "rest_share",
    "watch",
]

# Low memory must be seen this many looks in a row: one look can meet a moment between a free and a malloc.
_LOW_LOOKS = 3
# What ends a process for good is read twice: the first look pauses it, which can be taken back. Sensors glitch.
_HOT_LOOKS = 2
# A sensor that never answers is no reading that fails: nobody knows how hot it is, nor whether it will be told.
_SILENT_LOOKS = 30
# Pressure comes as a mean of ten seconds; ten looks more make it lasting (gate.core.policy, end_pressure_percent).
_PRESSURE_LOOKS = 10

PAUSED_FOR_HEAT = "Paused for heat"  # how the activity of a job begins whose engine stands still; pages read it there


class Act(StrEnum):
    NONE = "none"
    PAUSE = "pause"
    RESUME = "resume"
    END = "end"


class Cause(StrEnum):
    """Why a process is held or ended."""

    HEAT = "heat"
    MEMORY = "memory"


# How the reason of a job begins that was ended for the machine's sake; the morning report reads it there.
ENDED_FOR = {Cause.HEAT: "Ended for heat", Cause.MEMORY: "Ended for want of memory"}


@dataclass(frozen=True, kw_only=True)
class WatchState:
    """What one watch remembers from look to look. `paused_at_seconds`: monotonic; None while it runs."""

    paused_at_seconds: float | None = None
    hot_looks: int = 0
    silent_looks: int = 0
    low_looks: int = 0
    pressure_looks: int = 0


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The decision, its reason in words, and the state for the next look.

    `cause` is None when nothing is held or ended. `rest_share`: the part of the next second to stand still, 0 while
    it is paused anyway. `measures`: what was read against which limit, where it is paused or ended.
    """

    act: Act
    reason: str
    state: WatchState
    cause: Cause | None = None
    celsius: float | None = None
    rest_share: float = 0.0
    measures: tuple[Measure, ...] = ()
    taken_at: float = 0.0  # unix seconds; 0: not noted


def watch(vitals: Vitals, policy: GatePolicy, state: WatchState, *, at_seconds: float) -> Watched:
    """Decide at `at_seconds` (monotonic). A temperature that cannot be read changes nothing while it runs, unless
    its sensor does not answer at all, look after look.
    """
    state = replace(
        state,
        hot_looks=_hot_looks(vitals, policy, state),
        silent_looks=state.silent_looks + 1 if vitals.temperature.is_silent else 0,
        low_looks=_low_looks(vitals, policy, state),
        pressure_looks=_pressure_looks(vitals, policy, state),
    )
    celsius = _celsius(vitals)
    ended = _end(vitals, policy, state, at_seconds)
    if ended is not None:
        cause, reason = ended
        return Watched(act=Act.END, reason=reason, state=state, cause=cause, celsius=celsius)
    if state.paused_at_seconds is not None:
        return _paused(celsius, policy, state, at_seconds)
    if celsius is not None and celsius >= policy.trip_celsius:
        paused = replace(state, paused_at_seconds=at_seconds)
        reason = f"{celsius_text(celsius)}, limit {_marks_text(policy)}"
        return Watched(act=Act.PAUSE, reason=reason, state=paused, cause=Cause.HEAT, celsius=celsius)
    share = rest_share(celsius, policy)
    resting = Cause.HEAT if share else None
    return Watched(act=Act.NONE, reason="", state=state, cause=resting, celsius=celsius, rest_share=share)


def rest_share(celsius: float | None, policy: GatePolicy) -> float:
    """The part of each second to stand still: 0 up to the rest mark, then rising in a line to the trip mark."""
    span_celsius = policy.trip_celsius - policy.rest_celsius
    if celsius is None or span_celsius <= 0:
        return 0.0
    part = (celsius - policy.rest_celsius) / span_celsius
    return policy.rest_share_at_trip * min(1.0, max(0.0, part))


def heat_pause_text(celsius: float | None, policy: GatePolicy) -> str:
    """`82.0 °C, goes on below 75.0 °C`."""
    seen = "the temperature cannot be read" if celsius is None else celsius_text(celsius)
    return f"{seen}, goes on below {celsius_text(policy.reset_celsius)}"


def pressure_refusal(percent: float | None, policy: GatePolicy) -> str:
    """The figure and its limit where what begins now would be ended at once; empty when nothing is in the way.

    No check of the gate: those are five (docs/protocol.md). Whoever starts something asks the gate as well.
    """
    if percent is None or not _is_pressed(percent, policy):
        return ""
    return _pressure_text(percent, policy)


def _paused(celsius: float | None, policy: GatePolicy, state: WatchState, at_seconds: float) -> Watched:
    if celsius is None or celsius >= policy.reset_celsius:
        return Watched(act=Act.NONE, reason="", state=state, cause=Cause.HEAT, celsius=celsius)
    pause_seconds = at_seconds - (state.paused_at_seconds or at_seconds)
    return Watched(
        act=Act.RESUME,
        reason=f"{celsius_text(celsius)}, cool again after {seconds_text(pause_seconds)}",
        state=replace(state, paused_at_seconds=None),
        celsius=celsius,
        rest_share=rest_share(celsius, policy),
    )


def _end(vitals: Vitals, policy: GatePolicy, state: WatchState, at_seconds: float) -> tuple[Cause, str] | None:
    if state.hot_looks >= _HOT_LOOKS:
        return Cause.HEAT, f"{celsius_text(_celsius(vitals) or 0.0)}, limit {celsius_text(policy.end_celsius)}"
    if state.silent_looks >= _SILENT_LOOKS:
        return Cause.HEAT, f"the sensors could not be read for {_SILENT_LOOKS} s, and unwatched it may not run"
    if state.low_looks >= _LOW_LOOKS:
        limit = bytes_text(policy.end_available_bytes)
        return Cause.MEMORY, f"{bytes_text(vitals.memory.available_bytes or 0)} of memory available, limit {limit}"
    if state.pressure_looks >= _PRESSURE_LOOKS:
        return Cause.MEMORY, _pressure_text(vitals.memory.psi_full_avg10 or 0.0, policy)
    if state.paused_at_seconds is not None and at_seconds - state.paused_at_seconds > policy.pause_limit_seconds:
        return Cause.HEAT, f"paused for heat longer than {seconds_text(policy.pause_limit_seconds)}"
    return None


def _hot_looks(vitals: Vitals, policy: GatePolicy, state: WatchState) -> int:
    celsius = _celsius(vitals)
    return state.hot_looks + 1 if celsius is not None and celsius >= policy.end_celsius else 0


def _low_looks(vitals: Vitals, policy: GatePolicy, state: WatchState) -> int:
    available_bytes = vitals.memory.available_bytes
    is_low = available_bytes is not None and available_bytes < policy.end_available_bytes
    return state.low_looks + 1 if is_low else 0


def _pressure_looks(vitals: Vitals, policy: GatePolicy, state: WatchState) -> int:
    return state.pressure_looks + 1 if _is_pressed(vitals.memory.psi_full_avg10, policy) else 0


def _is_pressed(percent: float | None, policy: GatePolicy) -> bool:
    return percent is not None and percent > policy.end_pressure_percent


def _pressure_text(percent: float, policy: GatePolicy) -> str:
    return f"all programs wait for memory {percent:.0f} % of the time, limit {policy.end_pressure_percent:g} %"


def _celsius(vitals: Vitals) -> float | None:
    value = vitals.temperature.deciding.celsius if vitals.temperature.deciding else None
    return value if value is not None and math.isfinite(value) else None


def _marks_text(policy: GatePolicy) -> str:
    return f"{celsius_text(policy.trip_celsius)}; goes on below {celsius_text(policy.reset_celsius)}"
