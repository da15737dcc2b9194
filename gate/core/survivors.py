"""Name the process that survived the holder of the lock, so that older scripts, which see only the PID line, keep out.

When a holder is killed, a child that inherited the descriptor keeps the kernel lock, while the line names nobody alive.
Only then, and only on proof, somebody who does not hold the lock writes its files.
"""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass, replace

from gate.core.identity import Machine, descriptor_holders, read_process, record_for, with_process
from gate.core.lockstore import LockStore, try_flock
from gate.core.records import LockRecord
from gate.core.staleness import Contents, names_live

__all__ = ["Survivor", "survivor_name"]

# A look at another writer, not a queue: whoever writes now leaves a line that is right, or the next step looks again.
_WRITER_WAIT_SECONDS = 1.0
# An older proof is thrown away: well below WRITER_WAIT_SECONDS, after which a winner writes without waiting for us.
_PROOF_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True)
class Survivor:
    """`pid` has the kernel lock and is named now; `before_pid` was named and is gone."""

    pid: int
    before_pid: int
    record: LockRecord
    proof: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return f"PID {self.before_pid} is gone, and PID {self.pid}, which inherited the lock, is named in its place"


def survivor_name(store: LockStore, machine: Machine) -> Survivor | None:
    """Write the survivor's PID into the files, if there is one. Cheap when the line names a live process.

    Raises LockUnsafe or LockUnwritable.
    """
    try:
        with store.directory() as directory:
            if not _is_worth_a_look(store, directory):
                return None
            with store.writing(directory, wait_seconds=_WRITER_WAIT_SECONDS) as alone:
                return _name_over(store, directory, machine) if alone else None
    except FileNotFoundError:
        return None


def _is_worth_a_look(store: LockStore, directory: int) -> bool:
    descriptor = store.open_existing(directory)
    if descriptor is None:
        return False
    try:
        return _gone_pid(store.read(directory, descriptor)) is not None
    finally:
        os.close(descriptor)


def _gone_pid(contents: Contents) -> int | None:
    """The PID in the line, when it is not, or not any more, the process that was meant."""
    pid = contents.pid
    return None if pid is None or names_live(contents, read_process(pid)) else pid


def _name_over(store: LockStore, directory: int, machine: Machine) -> Survivor | None:
    """All proof is taken here, as the only writer: nobody is between winning the lock and writing its line."""
    descriptor = store.open_to_write(directory)
    if descriptor is None:
        return None
    try:
        started = time.monotonic()
        contents = store.read(directory, descriptor)
        before_pid = _gone_pid(contents)
        if before_pid is None or try_flock(descriptor, fcntl.LOCK_SH):
            return None
        pid = _longest_running(descriptor_holders(os.fstat(descriptor)))
        if pid is None:
            return None
        record = _record(contents, pid, before_pid, machine)
        is_as_seen = store.is_at_path(directory, descriptor) and store.read(directory, descriptor) == contents
        if not is_as_seen or time.monotonic() - started > _PROOF_SECONDS:
            return None
        bound = store.write(directory, descriptor, record)
    finally:
        os.close(descriptor)
    proof = ("kernel lock: held", f"PID {before_pid}: gone", f"PID {pid}: has the locked descriptor")
    return Survivor(pid=pid, before_pid=before_pid, record=bound, proof=proof)


def _longest_running(pids: tuple[int, ...]) -> int | None:
    """A command that a surviving script has just started has the descriptor as well, and is soon gone; so are we."""
    found = [read_process(pid) for pid in pids]
    alive = [facts for facts in found if facts.alive and facts.start_ticks is not None]
    alive.sort(key=lambda facts: (facts.pid == os.getpid(), facts.start_ticks, facts.pid))
    return alive[0].pid if alive else None


def _record(contents: Contents, pid: int, before_pid: int, machine: Machine) -> LockRecord:
    """The same hold under its survivor's name. It gives no signs of life: only who took the lock itself does."""
    known = contents.matching_record
    record = with_process(known, pid) if known is not None else record_for(pid, machine=machine)
    return replace(record, beats=False, named_over_pid=before_pid)
