"""What was seen on the machine at one moment. A value of None was not readable; `problem` says why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from gate.core.records import LockRecord

__all__ = [
    "ActivityReading",
    "ForeignProcess",
    "Judgement",
    "LockReading",
    "LockState",
    "MemoryReading",
    "MemorySource",
    "ProcessReading",
    "Program",
    "SensorReading",
    "Snapshot",
    "TemperatureReading",
    "Vitals",
]


class MemorySource(StrEnum):
    """Who sets the limit that counts."""

    HOST = "host"
    CGROUP_V1 = "cgroup v1"
    CGROUP_V2 = "cgroup v2"


@dataclass(frozen=True, kw_only=True)
class Program:
    name: str
    pid: int
    rss_bytes: int


@dataclass(frozen=True, kw_only=True)
class MemoryReading:
    """Available and total are the limiting ones of host and cgroup."""

    available_bytes: int | None
    total_bytes: int | None
    source: MemorySource = MemorySource.HOST
    swap_used_bytes: int | None = None
    swap_total_bytes: int | None = None
    psi_full_avg10: float | None = None  # per cent of the last 10 s in which all tasks waited for memory
    largest: tuple[Program, ...] = ()
    problem: str | None = None


class Judgement(StrEnum):
    """What the gate thinks of one sensor."""

    DECIDES = "decides"
    USABLE = "usable"
    NOT_CPU = "not a processor sensor"
    IMPOSSIBLE = "impossible value"
    FLATLINED = "flatlined"
    IGNORED = "ignored by the operator"


@dataclass(frozen=True, kw_only=True)
class SensorReading:
    id: str  # "coretemp/Package id 0"
    celsius: float | None
    judgement: Judgement
    reason: str


@dataclass(frozen=True, kw_only=True)
class TemperatureReading:
    """`deciding` is None when nothing usable answered; `ever_seen`: did this machine ever have a sensor.

    `cooling_seconds`: how long until it is below the reset mark, where recent samples tell. `is_silent`: a sensor was
    asked and does not answer at all, which is worse than an error.
    """

    deciding: SensorReading | None
    sensors: tuple[SensorReading, ...] = ()
    ever_seen: bool = False
    problem: str | None = None
    cooling_seconds: float | None = None
    is_silent: bool = False


@dataclass(frozen=True, kw_only=True)
class ForeignProcess:
    pid: int
    what: str  # "faster-whisper"
    command: str  # shortened for display
    age_seconds: float | None
    user: str | None = None  # whose it is; None where that could not be read


@dataclass(frozen=True, kw_only=True)
class ProcessReading:
    foreign: tuple[ForeignProcess, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class ActivityReading:
    """The watched programs that run now, largest first."""

    watched: tuple[Program, ...] = ()
    total_bytes: int | None = 0
    problem: str | None = None


class LockState(StrEnum):
    FREE = "free"
    HELD = "held"
    LEGACY = "legacy"  # a live PID without the kernel lock: an old script
    STALE = "stale"  # its holder is proved gone
    REUSED = "reused"  # the PID lives, but it is another process
    HUNG = "hung"  # held, and no sign of life for long
    MALFORMED = "malformed"  # cannot be read as a lock: held until proved otherwise


@dataclass(frozen=True, kw_only=True)
class LockReading:
    """`proof` holds the facts behind the state, one line each. `ours`: the asking run holds it itself."""

    path: Path
    state: LockState
    sentence: str
    holder: LockRecord | None = None
    held_by_pid: int | None = None
    heartbeat_age_seconds: float | None = None
    proof: tuple[str, ...] = ()
    problem: str | None = None
    unwritable: str | None = None  # nobody holds it, and nobody could take it: why (read-only, full, no permission)
    ours: bool = False

    @property
    def is_live(self) -> bool:
        """True when somebody must be assumed to run a heavy process under it."""
        return self.state in _LIVE_STATES

    @property
    def is_proved_stale(self) -> bool:
        return self.state in (LockState.STALE, LockState.REUSED)

    def as_ours(self) -> LockReading:
        return replace(self, ours=True)


_LIVE_STATES = frozenset({LockState.HELD, LockState.LEGACY, LockState.HUNG, LockState.MALFORMED})


@dataclass(frozen=True, kw_only=True)
class Vitals:
    """The part that is watched every second."""

    taken_at: float  # unix seconds
    memory: MemoryReading
    temperature: TemperatureReading
    load1: float | None = None
    fan_rpm: int | None = None  # the fastest fan


@dataclass(frozen=True, kw_only=True)
class Snapshot(Vitals):
    """All readings, taken together."""

    processes: ProcessReading
    activity: ActivityReading
    lock: LockReading
