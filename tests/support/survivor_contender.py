"""Takes the lock again and again, each time with a child that inherits it, until it is killed; started by
test_survivor_contention.py. Arguments: LOCK WITNESS LOG.

Child and holder share a kernel lock on the witness, a file of the test's own: whoever wins the lock must get that too.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from gate.core.errors import LockError
from gate.core.identity import read_process, record_for
from gate.core.lockfile import HeavyLock
from tests.support.contender import is_alone, tell


def main() -> None:
    lock, witness_path, log_path = HeavyLock(Path(sys.argv[1]), host="mini"), sys.argv[2], sys.argv[3]
    log = os.open(log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    while True:
        try:
            held = lock.acquire(record_for(os.getpid(), machine=lock.machine), timeout_seconds=random.choice([0, 5]))
        except LockError:
            time.sleep(0.01)
            continue
        witness = os.open(witness_path, os.O_RDWR | os.O_CREAT, 0o600)
        if not is_alone(witness):
            tell(log, "TWO")
        tell(log, "held")
        quiet = subprocess.DEVNULL
        child = subprocess.Popen(  # closes its copies a moment after it ends: the witness first would look like two
            ["sleep", "0.1"], pass_fds=(held.fileno(), witness), stdin=quiet, stdout=quiet, stderr=quiet
        )
        held.update_pid(child.pid)
        time.sleep(random.uniform(0.0, 0.2))
        problem = held.problem()  # the child may have ended and been named over: still our hold
        if problem is not None:
            tell(log, f"LOST {problem}")
        child.wait()
        os.close(witness)
        if not held.release():
            tell(log, f"KEPT {read_process(child.pid)}")


if __name__ == "__main__":
    main()
