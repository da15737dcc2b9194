"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Machine:
    """Facts as (name, value), in the order in which they are shown."""

    facts: tuple[tuple[str, str], ...]


def machine() -> Machine:
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    memory = psutil.virtual_memory()
    return Machine(
        (
            ("Date", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),
            ("Processor", f"{_processor()}, {_cores()}"),
            (
                "Memory",
                f"{memory.total / 1024**3:.1f} GiB, {memory.available / 1024**3:.1f} GiB available at the start",
            ),
            ("System", f"{_system()}, Linux {platform.release()}"),
            ("Python", platform.python_version()),
            ("torch", version("torch")),
            ("openai-whisper", version("openai-whisper")),
            ("ffmpeg program", shutil.which("ffmpeg") or "not there"),
            ("Load average at the start", f"{load} (1, 5 and 15 min; {psutil.cpu_count()} is all processors busy)"),
        )
    )


def physical_cores() -> int:
    """What torch uses when it is left its own choice."""
    return psutil.cpu_count(logical=False) or psutil.cpu_count() or 1


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _cores() -> str:
    return f"{physical_cores()} cores, {psutil.cpu_count()} threads"


def _system() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", "unknown")
