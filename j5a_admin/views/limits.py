"""The gate's limits in words: each field of the policy with its unit and the setting that it comes from."""

from __future__ import annotations

from dataclasses import dataclass, fields

from gate.core.policy import GatePolicy
from gate.core.units import bytes_text, celsius_text, seconds_text

__all__ = ["Limit", "limit_label", "limit_text", "limits_of"]


@dataclass(frozen=True, kw_only=True)
class Limit:
    """`setting` is empty for what is no setting."""

    label: str
    text: str
    setting: str


_NAMES = {
    "margin_bytes": ("Memory that must remain", "J5A_MARGIN_GIB"),
    "trip_celsius": ("Blocks from", "J5A_TRIP_CELSIUS"),
    "reset_celsius": ("Opens again below", "J5A_RESET_CELSIUS"),
    "watched_programs": ("Watched programs", "J5A_WATCHED_PROGRAMS"),
    "activity_warn_bytes": ("Activity warns over", "J5A_ACTIVITY_WARN_MIB"),
    "activity_high_bytes": ("Activity asks to wait over", "J5A_ACTIVITY_HIGH_MIB"),
    "pinned_sensor": ("Pinned sensor", "J5A_PINNED_SENSOR"),
    "ignored_sensors": ("Ignored sensors", "J5A_IGNORED_SENSORS"),
    "hung_after_seconds": ("A holder is hung after", ""),
    "end_celsius": ("A running process is ended from", "J5A_END_CELSIUS"),
    "end_available_bytes": ("It is ended when available memory is below", "J5A_END_AVAILABLE_GIB"),
    "pause_limit_seconds": ("It is ended when paused for", "J5A_PAUSE_LIMIT_SECONDS"),
    "end_pressure_percent": ("It is ended when memory pressure is above", "J5A_END_PRESSURE_PERCENT"),
    "rest_celsius": ("A running job rests a part of the time from", "J5A_REST_CELSIUS"),
    "rest_share_at_trip": ("It rests at most", ""),
}
_UNITS = {
    "_percent": lambda value: f"{value:g} %",
    "_share_at_trip": lambda value: f"{100 * value:.0f} % of each second",
    "_bytes": bytes_text,
    "_celsius": celsius_text,
    "_seconds": seconds_text,
}


def limits_of(policy: GatePolicy) -> list[Limit]:
    names = [field.name for field in fields(policy)]
    return [
        Limit(
            label=limit_label(name), text=limit_text(name, getattr(policy, name)), setting=_NAMES.get(name, ("", ""))[1]
        )
        for name in names
    ]


def limit_label(name: str) -> str:
    """A limit that is not listed here yet is called by its own name."""
    return _NAMES.get(name, (name, ""))[0]


def limit_text(name: str, value: object) -> str:
    """A value of the policy, or the text that a change of it keeps, as people read it."""
    if value is None or value in ("", ()):
        return "none"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    unit = next((text for suffix, text in _UNITS.items() if name.endswith(suffix)), None)
    try:
        return str(value) if unit is None else unit(float(str(value)))
    except ValueError:  # a change of an older version, kept in other words
        return str(value)
