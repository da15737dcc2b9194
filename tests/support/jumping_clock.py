"""A wall clock that a test sets: for the programs that it starts, at the border of libc (jumping_clock.c)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.support.machines import may_skip

SOURCE = Path(__file__).with_name("jumping_clock.c")


class JumpingClock:
    """`environment` is for the programs whose clock it is, and for those that they start."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            may_skip("no C compiler (cc) is installed")
        self._file, self._fresh = folder / "clock-offset", folder / "clock-offset.fresh"
        library = folder / "jumping_clock.so"
        options = ["-shared", "-fPIC", "-O2", "-Wall", "-Werror", f'-DOFFSET_FILE="{self._file}"']
        subprocess.run([str(compiler), *options, "-o", library, SOURCE, "-ldl"], check=True, timeout=60)
        self.set(0)
        self.environment = {"LD_PRELOAD": str(library)}

    def set(self, seconds: int) -> None:
        """So far it is from now on ahead of the true time; negative: behind."""
        self._fresh.write_text(f"{seconds}\n")
        self._fresh.replace(self._file)
