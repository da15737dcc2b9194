"""Every limit of the gate, in one object that refuses to contradict itself."""

from __future__ import annotations

from dataclasses import dataclass

from gate.core.errors import PolicyError
from gate.core.units import GIB, MIB

__all__ = ["GatePolicy"]


@dataclass(frozen=True, kw_only=True)
class GatePolicy:
    """The limits the checks compare with. Defaults are the protocol's."""

    # Kept free after the model is loaded. Protocol, check 1: "Margin 4 GiB".
    margin_bytes: int = 4 * GIB
    # Protocol, check 2: 80.0 blocks, and stays blocked until below 75.0.
    trip_celsius: float = 80.0
    reset_celsius: float = 75.0
    # Protocol, check 4: programs by name, never by a word in a command line.
    watched_programs: tuple[str, ...] = ("claude",)
    activity_warn_bytes: int = 500 * MIB
    activity_high_bytes: int = 2 * GIB
    # The operator may name the sensor that decides, or sensors that never do ("coretemp/Package id 0").
    pinned_sensor: str | None = None
    ignored_sensors: tuple[str, ...] = ()
    # A live holder that gave no sign of life for this long is reported as hung. A 10-minute chunk
    # takes 5 to 8 minutes (operating protocol); twice the longer figure, rounded down to the quarter hour.
    hung_after_seconds: float = 900.0
    # While a heavy process runs. Protocol, "Transcription": from 90 °C, below 2 GiB, or after a long pause it is ended.
    end_celsius: float = 90.0
    end_available_bytes: int = 2 * GIB
    pause_limit_seconds: float = 3600.0

    def __post_init__(self) -> None:
        for problem in self._problems():
            raise PolicyError(problem)

    def _problems(self) -> list[str]:
        checks = {
            f"margin {self.margin_bytes} bytes must not be negative": self.margin_bytes >= 0,
            f"reset {self.reset_celsius} °C must be below trip {self.trip_celsius} °C, and both between 0 and 125": 0
            < self.reset_celsius
            < self.trip_celsius
            < 125,
            f"activity limits must rise: 0 < {self.activity_warn_bytes} < {self.activity_high_bytes}": (
                0 < self.activity_warn_bytes < self.activity_high_bytes
            ),
            f"sensor {self.pinned_sensor!r} is both pinned and ignored": (
                self.pinned_sensor is None or self.pinned_sensor not in self.ignored_sensors
            ),
            f"end {self.end_celsius} °C must be above trip {self.trip_celsius} °C": (
                self.trip_celsius < self.end_celsius <= 125
            ),
            f"end below {self.end_available_bytes} bytes must not be negative": self.end_available_bytes >= 0,
            f"pause limit {self.pause_limit_seconds} s must be positive": self.pause_limit_seconds > 0,
            f"hung after {self.hung_after_seconds} s must be positive": self.hung_after_seconds > 0,
        }
        return [problem for problem, holds in checks.items() if not holds]
