"""Real process groups under the lock: what an engine is to its worker, without its model."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from gate.core.heldlock import HeldLock
from gate.services import lock_acquire, lock_release
from tests.system.gate.test_lock_processes import kill_quietly

OBEDIENT = "echo ready; exec sleep 300"
# With a handler of its own: paused, it hears nothing until it goes on. The child comes before the handler: for a moment
# it would have a copy of it, which takes the signal and does nothing.
TIDY = "sleep 300 & trap 'exit 0' TERM; echo ready; wait"
# The ignored signal is inherited: the shell and its child both do not obey.
STUBBORN = "trap '' TERM; sleep 300 & echo ready; wait"


@contextmanager
def working_group(script: str = OBEDIENT, *, job_ref: str = "", own_group: bool = True) -> Iterator[int]:
    """The PID of a process that inherited the lock from this one, and that the lock names."""
    held = lock_acquire(model="demo", job_ref=job_ref)
    child = _start(script, held, own_group=own_group)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        held.update_pid(child.pid)
        yield child.pid
    finally:
        for pid in members(child.pid) if own_group else [child.pid]:
            kill_quietly(pid)
        child.communicate()
        lock_release(held)


def _start(script: str, held: HeldLock, *, own_group: bool) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["sh", "-c", script], pass_fds=(held.fileno(),), start_new_session=own_group,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def members(group: int) -> list[int]:
    """Processes of the group that still run, seen with other eyes than the gate's."""
    return [pid for pid, its_group in _running().items() if its_group == group]


def is_running(pid: int) -> bool:
    return pid in _running()


def _running() -> dict[int, int]:
    """PID and group of every process that is no zombie."""
    table = subprocess.run(["ps", "-e", "-o", "pid=,pgid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in table.splitlines()]
    return {int(pid): int(group) for pid, group, stat in rows if not stat.startswith("Z")}
