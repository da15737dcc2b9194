"""What was measured against which limit, and by how much it was violated, in per cent of the limit."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from gate.core.units import bytes_text, celsius_text, seconds_text

__all__ = ["Measure"]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """`value` and `limit` are in `unit`: "bytes", "°C", "s", or any word. `at_least`: the limit is a floor."""

    name: str
    value: float
    limit: float
    unit: str
    at_least: bool = False
    source: str = ""

    @property
    def is_violated(self) -> bool:
        """At a floor nothing is violated; a ceiling is reached by touching it, as the gate blocks at 80.0 °C."""
        return self.value < self.limit if self.at_least else self.value >= self.limit

    @property
    def violation_percent(self) -> float | None:
        """How far beyond the limit, in per cent of it; None where it is not violated or the limit is zero."""
        if not self.is_violated or self.limit == 0:
            return None
        beyond = self.limit - self.value if self.at_least else self.value - self.limit
        return 100 * beyond / abs(self.limit)

    @property
    def value_text(self) -> str:
        return _text(self.value, self.unit)

    @property
    def limit_text(self) -> str:
        return f"{'at least' if self.at_least else 'below'} {_text(self.limit, self.unit)}"

    @property
    def violation_text(self) -> str:
        """`29 %`, `yes` where a share of zero means nothing, `no`."""
        if not self.is_violated:
            return "no"
        percent = self.violation_percent
        if percent is None:
            return "yes"
        return f"{percent:.0f} %" if percent >= 10 else f"{percent:.1f} %"

    def to_json_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json_dict(cls, data: dict[str, Any]) -> Measure:
        return cls(**data)


def _text(value: float, unit: str) -> str:
    if unit == "bytes":
        return bytes_text(value)
    if unit == "°C":
        return celsius_text(value)
    return seconds_text(value) if unit == "s" else f"{value:g} {unit}".strip()
