"""Was a process that died by SIGKILL ended by the kernel for want of memory? From counters shortly before and after.

A group's counter counts its own processes that any OOM killer ended (kernel: Documentation/admin-guide/cgroup-v2.rst,
`oom_kill`), so it tells our death from one elsewhere on the machine. The host's counter does not.
"""

from __future__ import annotations

import os
import re
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gate.core.cgroups import GroupPlace, group_limit_bytes, group_of, oom_kills
from gate.core.identity import read_process
from gate.core.units import bytes_text

__all__ = ["OomJudgement", "OomReport", "OomWitness", "judge"]

_VMSTAT = Path("/proc/vmstat")
_KERNEL_LOG = Path("/dev/kmsg")
# The kernel writes PIDs as its first namespace has them; its number is fixed (linux/proc_ns.h, PROC_PID_INIT_INO).
_FIRST_PID_NAMESPACE = "pid:[4026531836]"
_KILLED = re.compile(r"Killed process (\d+) ")  # mm/oom_kill.c
_RECORD_BYTES = 8192  # the kernel refuses a smaller buffer for a long record
_LINE_CHARACTERS = 300
# One look a second. A killed process gives its memory back before its pipes close, which takes seconds where it was
# swapped out; a kill that was counted earlier was somebody else's.
_LOOKS_KEPT = 60


class OomJudgement(StrEnum):
    YES = "yes"
    LIKELY = "likely"  # the machine has just had an OOM kill, and nothing says whose
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class OomReport:
    """`text` says it to people, empty where nothing is known; `line` is the kernel's own."""

    judgement: OomJudgement
    text: str = ""
    line: str = ""


def judge(*, group_kills: int | None, host_kills: int | None, named: bool | None) -> OomJudgement:
    """`*_kills`: how many in the last minute. `named`: whether the kernel's log of that minute names it; None when the
    log tells of no OOM kill or cannot be read.
    """
    if named is not None:
        return OomJudgement.YES if named else OomJudgement.NO
    if group_kills is not None:
        return OomJudgement.YES if group_kills > 0 else OomJudgement.NO
    if host_kills is not None:
        return OomJudgement.LIKELY if host_kills > 0 else OomJudgement.NO
    return OomJudgement.UNKNOWN


@dataclass(frozen=True, kw_only=True)
class _Look:
    """The counters at one moment, and what the kernel's log had told since the look before."""

    host_kills: int | None
    group_kills: dict[GroupPlace, int | None]
    lines: tuple[str, ...]


class OomWitness:
    """Looks at one process while it lives, and tells after its death. `look` every second: it may be moved."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        # Every group it was seen in: while it ends, version 1 shows it in the root group for a moment.
        self._places: set[GroupPlace] = set()
        self._log = _open_log()
        self._looks: deque[_Look] = deque(maxlen=_LOOKS_KEPT)
        self._is_over = False  # its death was seen: what is counted later was somebody else's
        self._guard = threading.Lock()  # the watch looks, the run asks
        self.look()

    def look(self) -> None:
        """Note the counters, also those of the process's group; a group that is new to us is counted from now on.

        Until it is dead, and once then: its death may be asked about long after, when an engine that waited is wanted.
        """
        with self._guard:
            if self._is_over:
                return
            self._is_over = not read_process(self._pid).alive
            place = group_of(self._pid)
            if place is not None:
                self._places.add(place)
            self._looks.append(self._taken())

    def report(self) -> OomReport:
        """After the death, once; the log is closed with it."""
        self.look()
        with self._guard:
            looks = tuple(self._looks)
        self.close()
        now = looks[-1]
        lines = [line for look in looks for line in look.lines]
        kills = {place: _difference(count, _before(place, looks)) for place, count in now.group_kills.items()}
        counted = [count for count in kills.values() if count is not None]
        judgement = judge(
            group_kills=sum(counted) if counted else None,
            host_kills=_difference(now.host_kills, looks[0].host_kills),
            named=self._named(lines),
        )
        if judgement not in (OomJudgement.YES, OomJudgement.LIKELY):
            return OomReport(judgement=judgement, text=_text(judgement, None))
        place = next((place for place in kills if kills[place]), None)
        line = next((line for line in reversed(lines) if self._is_named(line)), lines[-1] if lines else "")
        return OomReport(judgement=judgement, text=_text(judgement, place), line=line)

    def _taken(self) -> _Look:
        groups = {place: oom_kills(place) for place in self._places}
        return _Look(host_kills=_host_kills(), group_kills=groups, lines=tuple(self._new_lines()))

    def close(self) -> None:
        with self._guard:
            if self._log is not None:
                os.close(self._log)
                self._log = None

    def _named(self, lines: list[str]) -> bool | None:
        """None: no line of an OOM kill, or PIDs in it that are not ours to compare."""
        if not lines or _pid_namespace() != _FIRST_PID_NAMESPACE:
            return None
        return any(self._is_named(line) for line in lines)

    def _is_named(self, line: str) -> bool:
        found = _KILLED.search(line)
        return found is not None and int(found.group(1)) == self._pid

    def _new_lines(self) -> list[str]:
        """What the kernel has written about OOM kills since the last time."""
        lines: list[str] = []
        while self._log is not None:
            try:
                record = os.read(self._log, _RECORD_BYTES)
            except BrokenPipeError:  # some records were overwritten: go on with the oldest that is left
                continue
            except OSError:  # BlockingIOError: that was the last
                break
            if not record:
                break
            text = record.partition(b";")[2].partition(b"\n")[0].decode(errors="replace")
            if _KILLED.search(text):
                lines.append(text[:_LINE_CHARACTERS])
        return lines


def _before(place: GroupPlace, looks: Iterable[_Look]) -> int | None:
    """What the group's counter said at the first of the looks that saw it."""
    return next((look.group_kills[place] for look in looks if place in look.group_kills), None)


def _text(judgement: OomJudgement, place: GroupPlace | None) -> str:
    if judgement is OomJudgement.YES:
        return f"The kernel ended the engine because memory ran out (OOM kill){_where(place)}"
    if judgement is OomJudgement.LIKELY:
        return (
            "The kernel probably ended the engine because memory ran out (OOM kill): one such kill was counted on "
            "this machine in the minute before. Close other programs, or choose a smaller model."
        )
    if judgement is OomJudgement.NO:
        return "The kernel counted no OOM kill of it: a person or another program sent the signal."
    return ""


def _where(place: GroupPlace | None) -> str:
    limit_bytes = group_limit_bytes(place) if place else None
    if place is None or limit_bytes is None:
        return ". Close other programs, or choose a smaller model."
    return (
        f" in the control group {place.name}, whose limit is {bytes_text(limit_bytes)}. "
        "Raise that limit, close other programs in the group, or choose a smaller model."
    )


def _difference(after: int | None, before: int | None) -> int | None:
    return None if after is None or before is None else after - before


def _host_kills() -> int | None:
    try:
        for line in _VMSTAT.read_text().splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill":  # since Linux 4.13
                return int(value)
    except (OSError, ValueError):
        return None
    return None


def _open_log() -> int | None:
    """The kernel's log from here on; None where it is not ours to read (kernel.dmesg_restrict)."""
    try:
        descriptor = os.open(_KERNEL_LOG, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        os.lseek(descriptor, 0, os.SEEK_END)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _pid_namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
