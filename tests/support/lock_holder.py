"""A worker and its engine, as far as the gate can see: somebody who holds the lock, and a child named `whisper`.

Arguments: the lock's path, or nothing to hold no lock. Nobody's child, as the worker is none of the web server's.
Prints the child's number, and ends when its standard input does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from gate.core.identity import record_for
from gate.core.lockfile import HeavyLock


def main() -> None:
    if os.fork() != 0:
        os._exit(0)
    os.setsid()
    for path in sys.argv[1:]:
        lock = HeavyLock(Path(path))
        held = lock.acquire(record_for(os.getpid(), machine=lock.machine, model="demo", job_ref="job 1"))
        assert held.problem() is None
    quiet = subprocess.DEVNULL
    child = subprocess.Popen(["whisper", "300"], executable=shutil.which("sleep"), stdin=quiet, stdout=quiet)
    print(child.pid, flush=True)
    sys.stdin.read()
    child.kill()
    child.wait()


main()
