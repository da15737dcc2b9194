"""Did the sampler get to look every second? From three clocks, of which one stands still while a machine sleeps."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum

from gate.core.units import seconds_text

__all__ = ["Clocks", "Stall", "StallKind", "read_clocks", "stall_between"]


@dataclass(frozen=True, kw_only=True)
class Clocks:
    """Seconds. `monotonic` stands still while the machine sleeps, `boot` does not, `wall` may be set by hand."""

    monotonic: float
    boot: float
    wall: float


class StallKind(StrEnum):
    STALLED = "stalled"
    SUSPENDED = "suspended"
    CLOCK_SET = "clock set"


@dataclass(frozen=True, kw_only=True)
class Stall:
    kind: StallKind
    seconds: float
    summary: str
    cause: str

    @property
    def is_over(self) -> bool:
        """A machine that woke up, or a clock that is set, needs nobody; one that stood still should be looked at."""
        return self.kind is not StallKind.STALLED


def read_clocks() -> Clocks:
    monotonic = time.monotonic()
    boot_clock = getattr(time, "CLOCK_BOOTTIME", None)  # Linux
    boot = monotonic if boot_clock is None else time.clock_gettime(boot_clock)
    return Clocks(monotonic=monotonic, boot=boot, wall=time.time())


def stall_between(before: Clocks, after: Clocks, limit_seconds: float) -> Stall | None:
    """What happened between two looks that should be a second apart; None when nothing longer than the limit did."""
    passed = after.monotonic - before.monotonic
    slept = (after.boot - before.boot) - passed
    jumped = (after.wall - before.wall) - (after.boot - before.boot)
    if slept > limit_seconds:
        return Stall(
            kind=StallKind.SUSPENDED,
            seconds=slept,
            summary=f"The machine slept for {seconds_text(slept)} (suspended); nothing ran meanwhile.",
            cause="The machine was suspended: by its lid, its energy settings, or a person.",
        )
    if passed > limit_seconds:
        return Stall(
            kind=StallKind.STALLED,
            seconds=passed,
            summary=f"The sampler did not get to look for {seconds_text(passed)}, in the same boot and awake.",
            cause="The machine, or the sampler's process alone, stood still: swapping, a hanging disk, SIGSTOP.",
        )
    if abs(jumped) > limit_seconds:
        way = "forward" if jumped > 0 else "back"
        return Stall(
            kind=StallKind.CLOCK_SET,
            seconds=abs(jumped),
            summary=f"The clock was set {way} by {seconds_text(abs(jumped))} while the machine ran on.",
            cause="The clock was set, by time synchronisation or by hand; times before and after do not fit together.",
        )
    return None
