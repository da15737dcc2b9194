"""Stop the holder of the lock: only a group that our own lock names; gently, then by force, then proved gone."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from gate.conf import host_id
from gate.core.groups import group_end
from gate.core.identity import parents, read_machine, read_process
from gate.core.readings import LockReading, LockState
from gate.models import LockEventKind
from gate.services.lock import lock_event, lock_status

__all__ = ["HolderStop", "holder_refusal", "holder_stop"]


@dataclass(frozen=True, kw_only=True)
class HolderStop:
    """What came of it. `refusal` is empty when it was tried; `left` are members of the group that still run."""

    group: int | None
    refusal: str = ""
    by_force: bool = False
    left: tuple[int, ...] = ()

    @property
    def is_gone(self) -> bool:
        return not self.refusal and not self.left

    @property
    def sentence(self) -> str:
        if self.refusal:
            return f"Not stopped: {self.refusal}."
        if self.left:
            return f"Of process group {self.group} still run: PID {', '.join(map(str, self.left))}."
        how = "by force (SIGKILL), because it did not obey SIGTERM" if self.by_force else "by SIGTERM"
        return f"Process group {self.group} was ended {how}; no process of it is left."


def holder_refusal(reading: LockReading) -> str:
    """Why the holder may not be stopped from here; empty when it may. Looks at the processes, changes nothing."""
    try:
        return _refusal(reading)
    except OSError:  # ended between two looks
        return "its holder has just ended"


def _refusal(reading: LockReading) -> str:
    record, pid = reading.holder, reading.held_by_pid
    if reading.state not in (LockState.HELD, LockState.HUNG):
        return f"nobody holds it by the kernel lock ({reading.sentence})"
    if record is None or pid is None:
        return "its files do not say who the holder is"
    if not read_machine(host_id()).is_called(record.host):
        return f"its holder is on another host, {record.host}"
    process = read_process(record.pid)
    if not process.alive or process.start_ticks != record.start_ticks:
        return f"PID {record.pid} is not the process any more that took it"
    if record.pid != pid:
        return "its files do not say who the holder is"
    if Path(f"/proc/{pid}").stat().st_uid != os.geteuid():
        return f"PID {pid} belongs to another user"
    if os.getpgid(pid) != pid or pid in (os.getpid(), *parents(os.getpid())):
        return f"PID {pid} does not lead a process group of its own, so more than the holder would be stopped"
    return ""


def holder_stop(who: str, why: str, *, expected_pid: int) -> HolderStop:
    """Stop the group that `expected_pid` leads, if it is still the holder: what a person saw is what is stopped."""
    reading = lock_status()
    refusal = holder_refusal(reading)
    if not refusal and reading.held_by_pid != expected_pid:
        refusal = f"PID {reading.held_by_pid} holds it by now, not PID {expected_pid}"
    if refusal:
        lock_event(LockEventKind.REFUSED, who=who, why=f"stopping refused: {refusal}", reading=reading)
        return HolderStop(group=reading.held_by_pid, refusal=refusal)
    ended = group_end(expected_pid)
    stopped = HolderStop(group=expected_pid, by_force=ended.by_force, left=ended.left)
    lock_event(LockEventKind.STOPPED, who=who, why=f"{why}. {stopped.sentence}".lstrip(". "), reading=reading)
    return stopped
