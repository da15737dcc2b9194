"""Sizes as people read them. Conversion happens here and nowhere else."""

from __future__ import annotations

__all__ = ["GIB", "MIB", "bytes_text", "celsius_text", "seconds_text"]

MIB = 1024**2
GIB = 1024**3


def bytes_text(size_bytes: float) -> str:
    """`3.1 GiB`, `512 MiB`; a size that is not zero never reads as zero."""
    if abs(size_bytes) >= GIB:
        return f"{size_bytes / GIB:.1f} GiB"
    if abs(size_bytes) >= MIB:
        return f"{size_bytes / MIB:.0f} MiB"
    return f"{size_bytes / 1024:.1f} KiB" if abs(size_bytes) >= 1024 else f"{size_bytes:.0f} bytes"


def celsius_text(celsius: float) -> str:
    return f"{celsius:.1f} °C"


def seconds_text(seconds: float) -> str:
    """`8 s`, `12 min`, `3 h 20 min`."""
    whole = max(0, round(seconds))
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
