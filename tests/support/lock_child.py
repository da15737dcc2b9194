"""A process that takes the lock and obeys one-word commands on stdin; started by the lock tests.

Arguments: LOCK_PATH. Answers on stdout: `held`, `refused`, `child PID`, `released`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from gate.core.errors import LockHeld
from gate.core.identity import record_for
from gate.core.lockfile import HeavyLock


def answer(text: str) -> None:
    print(text, flush=True)


def main() -> None:
    lock = HeavyLock(Path(sys.argv[1]), host="mini")
    try:
        held = lock.acquire(record_for(os.getpid(), machine=lock.machine))
    except LockHeld:
        answer("refused")
        return
    answer("held")
    for line in sys.stdin:
        if line.strip() == "child":
            quiet = subprocess.DEVNULL
            command = ["sleep", "60"]
            child = subprocess.Popen(command, pass_fds=(held.fileno(),), stdin=quiet, stdout=quiet, stderr=quiet)
            answer(f"child {child.pid}")
        if line.strip() == "release":
            held.release()
            answer("released")


main()
