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
    # From here up to the trip mark it rests a growing part of each second, so that a hot night makes progress
    # in place of long pauses. 70 leaves a third of the way from a warm machine's 65 to the trip mark for it.
    rest_celsius: float = 70.0
    # The part of each second that it rests just below the trip mark.
    rest_share_at_trip: float = 0.6
    # Memory pressure (PSI `full avg10`) above which it is ended. Fedora's systemd-oomd acts at 50 % for 20 s;
    # avg10 is the mean of ten seconds, so ten looks in a row are about as long.
    end_pressure_percent: float = 50.0

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
            f"rest from {self.rest_celsius} °C must be between 0 and 125": 0 < self.rest_celsius < 125,
            f"rest share {self.rest_share_at_trip} must be at least 0 and below 1": 0 <= self.rest_share_at_trip < 1,
            f"end at {self.end_pressure_percent} % of memory pressure must be above 0, at most 100": (
                0 < self.end_pressure_percent <= 100
            ),
            f"hung after {self.hung_after_seconds} s must be positive": self.hung_after_seconds > 0,
        }
        return [problem for problem, holds in checks.items() if not holds]
