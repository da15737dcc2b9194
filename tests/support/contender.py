"""Contends for the lock until it is killed; started by test_contenders.py. Arguments: LOCK WITNESS LOG THREADS.

While it holds the lock it also takes a kernel lock on the witness, a file of the test's own. If somebody else has that
for longer than a process needs to end, two hold the lock. Each hold is a line in the log.
"""

from __future__ import annotations

import fcntl
import os
import random
import sys
import threading
import time
from pathlib import Path

from gate.core.errors import LockError
from gate.core.identity import record_for
from gate.core.lockfile import HeavyLock

ENDING_SECONDS = 0.02  # a killed process lets go of its descriptors one after another


def tell(log: int, text: str) -> None:
    os.write(log, f"{text} {os.getpid()}\n".encode())


def is_alone(witness: int) -> bool:
    end = time.monotonic() + ENDING_SECONDS
    while True:
        try:
            fcntl.flock(witness, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                return False
            time.sleep(0.001)
        else:
            return True


def others_with_the_lock(path: Path) -> list[int]:
    """Processes with a locked descriptor on the lock file, or on one that was removed from its place."""
    names = {str(path), f"{path} (deleted)"}
    folders = [
        folder for folder in Path("/proc").iterdir() if folder.name.isdigit() and int(folder.name) != os.getpid()
    ]
    return [int(folder.name) for folder in folders if _has(folder, names)]


def _has(process: Path, names: set[str]) -> bool:
    try:
        for link in (process / "fd").iterdir():
            if str(link.readlink()) in names:
                return "FLOCK" in (process / "fdinfo" / link.name).read_text()
    except OSError:
        return False
    return False


def contend(path: Path, witness_path: str, log: int) -> None:
    witness = os.open(witness_path, os.O_RDWR | os.O_CREAT, 0o600)
    lock = HeavyLock(path)
    while True:
        try:
            held = lock.acquire(record_for(os.getpid(), machine=lock.machine), timeout_seconds=60)
        except LockError:
            continue
        if not is_alone(witness):
            tell(log, "TWO")
        if random.random() < 0.1:
            for pid in others_with_the_lock(path):
                tell(log, f"ALSO {pid}")
        tell(log, "held")
        time.sleep(random.uniform(0.0, 0.06))
        if held.problem() is not None:
            tell(log, f"LOST {held.problem()}")
        fcntl.flock(witness, fcntl.LOCK_UN)
        held.release()
        time.sleep(random.uniform(1.0, 5.0))  # a script that asks once in a while must find it free at times


def main() -> None:
    path, witness_path, log_path, threads = sys.argv[1:]
    log = os.open(log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for _ in range(int(threads)):
        threading.Thread(target=contend, args=(Path(path), witness_path, log)).start()


if __name__ == "__main__":
    main()
