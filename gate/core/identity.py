"""Who a process is, so that a recycled PID is not taken for the holder. Only proof says that one is gone."""

from __future__ import annotations

import getpass
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from gate.core.processes import command_text
from gate.core.records import LockRecord

__all__ = [
    "Machine",
    "ProcessFacts",
    "descriptor_holders",
    "descriptor_is_locked",
    "group_members",
    "parents",
    "process_is",
    "process_start_time",
    "read_machine",
    "read_process",
    "record_for",
    "removed_lock_holders",
    "with_process",
]

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """`host`: the name under which this machine keeps its rows and takes the lock; `own_name`: what it is called today.

    They differ when the machine was renamed, or a person set the first.
    """

    host: str
    boot_id: str | None  # None where the system has none: then nothing is concluded from it
    booted_unix: float | None = None  # by the clock as it is set now: good for a hint, never a proof
    own_name: str = ""

    def is_called(self, host: str) -> bool:
        return host == self.host or bool(host and host == self.own_name)


@dataclass(frozen=True, kw_only=True)
class ProcessFacts:
    """`alive` is False only when the kernel says there is no such process any more."""

    pid: int
    alive: bool
    start_ticks: int | None = None


def read_machine(host: str | None = None) -> Machine:
    try:
        boot_id = _BOOT_ID.read_text().strip() or None
    except OSError:
        boot_id = None
    booted_unix = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    name = socket.gethostname()
    return Machine(host=host or name, boot_id=boot_id, booted_unix=booted_unix, own_name=name)


def read_process(pid: int) -> ProcessFacts:
    """Another user's process (EPERM) is alive. A zombie without threads runs nothing: not alive."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ProcessFacts(pid=pid, alive=False)
    except (PermissionError, OverflowError):
        pass
    fields = _stat_fields(pid)
    if fields is None:
        return ProcessFacts(pid=pid, alive=True)
    ended = fields[0] in ("Z", "X") and int(fields[17]) <= 1
    return ProcessFacts(pid=pid, alive=not ended, start_ticks=int(fields[19]))


def process_start_time(pid: int) -> str:
    """What tells this process from any other with the same PID, on this boot; empty where not readable."""
    start_ticks = read_process(pid).start_ticks
    boot_id = read_machine().boot_id or ""
    return "" if start_ticks is None else f"{start_ticks}@{boot_id[:8]}"


def process_is(pid: int, start_time: str) -> bool:
    """Whether the process of `process_start_time` still lives. Not provably gone counts as alive."""
    if not read_process(pid).alive:
        return False
    now = process_start_time(pid)
    return not now or not start_time or now == start_time


def record_for(
    pid: int, *, machine: Machine, model: str = "", job_ref: str = "", command: str = "", beats: bool = True
) -> LockRecord:
    """What is to be written about a process that holds the lock from now on."""
    return LockRecord(
        pid=pid,
        host=machine.host,
        user=_user_name(),
        command=command or _command(pid),
        model=model,
        job_ref=job_ref,
        since_unix=time.time(),
        start_ticks=read_process(pid).start_ticks,
        boot_id=machine.boot_id,
        beats=beats,
    )


def parents(pid: int) -> tuple[int, ...]:
    """The process's parent, its parent, and so on; ends where /proc is not readable."""
    found: list[int] = []
    while pid > 1 and (fields := _stat_fields(pid)) is not None:
        pid = int(fields[1])
        found.append(pid)
    return tuple(found)


def group_members(group: int) -> tuple[int, ...]:
    """Processes of a process group that still run; zombies do not."""
    found = ((pid, _stat_fields(pid)) for pid in _all_pids())
    return tuple(sorted(pid for pid, fields in found if fields and int(fields[2]) == group and fields[0] not in "ZX"))


def stopped_in_group(pid: int) -> tuple[int, ...]:
    """Descendants in the process's own group that somebody stopped; none where the kernel does not list children."""
    fields = _stat_fields(pid)
    return () if fields is None else tuple(_stopped_below(pid, group=fields[2]))


def with_process(record: LockRecord, pid: int) -> LockRecord:
    """The same hold, named after another process that has the descriptor: the engine after its start."""
    start_ticks = read_process(pid).start_ticks
    return replace(record, pid=pid, command=_command(pid), start_ticks=start_ticks, line_mtime_ns=None)


def descriptor_holders(lock: os.stat_result) -> tuple[int, ...]:
    """Processes with a descriptor that carries a kernel lock on this file; only those we may look into."""

    def is_it(link: str) -> bool:
        there = os.stat(link)  # noqa: PTH116
        return (there.st_dev, there.st_ino) == (lock.st_dev, lock.st_ino)

    return _holders(is_it)


def descriptor_is_locked(descriptor: int) -> bool:
    """Whether a kernel lock is held through this descriptor of ours (or the one it was inherited from)."""
    try:
        return _is_locked(os.getpid(), str(descriptor))
    except OSError:
        return False


def removed_lock_holders(path: Path) -> tuple[int, ...]:
    """Processes that hold a kernel lock on a file that lay at `path` and was removed under them."""
    gone = f"{path.parent.resolve() / path.name} (deleted)"  # the kernel knows no links in a path
    return _holders(lambda link: os.readlink(link) == gone)  # noqa: PTH115


def _holders(is_it: Callable[[str], bool]) -> tuple[int, ...]:
    return tuple(sorted(pid for pid in _all_pids() if _holds(pid, is_it)))


def _holds(pid: int, is_it: Callable[[str], bool]) -> bool:
    """Whether it has a locked descriptor whose link in /proc is the one."""
    try:
        numbers = os.listdir(f"/proc/{pid}/fd")  # noqa: PTH208 - thousands of entries
    except OSError:  # ended meanwhile, or not ours to see
        return False
    return any(_is_lock(pid, number, is_it) for number in numbers)


def _is_lock(pid: int, number: str, is_it: Callable[[str], bool]) -> bool:
    """False for a descriptor that was closed meanwhile: the others of its process are still looked at."""
    try:
        return is_it(f"/proc/{pid}/fd/{number}") and _is_locked(pid, number)
    except OSError:
        return False


def _is_locked(pid: int, name: str) -> bool:
    # Only a description that has the lock shows this line: contenders have the file open without it.
    return "FLOCK" in Path(f"/proc/{pid}/fdinfo/{name}").read_text()


def _all_pids() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
    except OSError:
        return []


def _stopped_below(pid: int, *, group: str) -> Iterator[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in map(int, children):
        fields = _stat_fields(child)
        if fields is not None and fields[2] == group:
            if fields[0] == "T":
                yield child
            yield from _stopped_below(child, group=group)


def _stat_fields(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat from the state on; None where that is not readable."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return fields if len(fields) > 19 else None


def _command(pid: int) -> str:
    try:
        data = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return command_text(data.decode(errors="replace").rstrip("\0").split("\0"), 400)


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
