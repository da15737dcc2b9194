"""For programs in a mount namespace of their own: small disks, look-alike sensors. `answers_of` runs such a program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BASE_DIR = Path(__file__).resolve().parents[2]


def answers_of(program: str, *words: str, env: Mapping[str, str] | None = None, timeout: float = 180) -> Any:
    """What a program prints as JSON, run in a mount namespace of its own."""
    done = subprocess.run(
        ["unshare", "-m", "--propagation", "private", sys.executable, "-c", program, *words],
        cwd=BASE_DIR, env={**os.environ, **(env or {})}, capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# ── within such a program ────────────────────────────────────────────────────────────────────────
def sh(*words: str) -> None:
    subprocess.run(words, check=True)


def small_disk(place: Path, options: str = "size=64k") -> None:
    sh("mount", "-t", "tmpfs", "-o", options, "t", str(place))


def remount(place: Path, how: str) -> None:
    """`how`: ro or rw."""
    sh("mount", "-o", f"remount,{how}", str(place))


def package_sensor() -> Path:
    """A processor sensor in place of all of this machine's; the file of its millidegrees, not there yet."""
    sh("mount", "-t", "tmpfs", "t", "/sys/class")
    chip = Path("/sys/class/hwmon/hwmon0")
    chip.mkdir(parents=True)
    (chip / "name").write_text("coretemp\n")
    (chip / "temp1_label").write_text("Package id 0\n")
    return chip / "temp1_input"
