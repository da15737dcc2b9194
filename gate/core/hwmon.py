"""Temperature files of Linux: where one sensor can be read alone, and the thermal zones psutil leaves out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from gate.core.thermal import RawSensor

__all__ = ["chip_and_file", "hwmon_inputs", "read_celsius", "read_zones"]

_HWMON = Path("/sys/class/hwmon")
_ZONES = Path("/sys/class/thermal")


def hwmon_inputs() -> dict[tuple[str, str], str | None]:
    """The input file by (chip, label); None where two sensors carry the same names."""
    found: dict[tuple[str, str], str | None] = {}
    for pattern in ("hwmon*/temp*_input", "hwmon*/device/temp*_input"):
        for path in _HWMON.glob(pattern):
            key = (_text(path.parent / "name"), _text(Path(str(path).removesuffix("_input") + "_label")))
            found[key] = None if key in found else str(path)
    return found


def read_zones() -> list[RawSensor]:
    """`thermal/TYPE`; zones of the same type are numbered from the second on."""
    seen: Counter[str] = Counter()
    zones = []
    for folder in sorted(_ZONES.glob("thermal_zone*")):
        kind = _text(folder / "type") or folder.name
        seen[kind] += 1
        label = kind if seen[kind] == 1 else f"{kind} {seen[kind]}"
        path = str(folder / "temp")
        zones.append(RawSensor(chip="thermal", label=label, celsius=read_celsius(path), path=path))
    return zones


def read_celsius(path: str | None) -> float | None:
    """A file in millidegrees; None when it does not answer with a number."""
    if path is None:
        return None
    try:
        return int(Path(path).read_text()) / 1000.0
    except (OSError, ValueError):
        return None


def chip_and_file(path: str) -> str:
    """`CHIP/temp1` or `thermal/TYPE` of an input file. Reads no label: some drivers ask the device for it, too."""
    file = Path(path)
    chip = _text(file.parent / "name")
    if chip:
        return f"{chip}/{file.name.removesuffix('_input')}"
    return f"thermal/{_text(file.parent / 'type') or file.parent.name}"


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
