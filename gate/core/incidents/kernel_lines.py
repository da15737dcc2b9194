"""Which lines of the kernel's log matter to an incident."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable

__all__ = ["LINES_KEPT", "kernel_lines_since", "kernel_lines_that_matter"]

LINES_KEPT = 40
_LINE_LIMIT_CHARS = 300
# As the kernel writes them: mm/oom_kill.c, drivers/thermal and arch/x86 (therm_throt), kernel/panic.c,
# kernel/watchdog.c, kernel/hung_task.c, arch/x86/kernel/cpu/mce, drivers/acpi/ec.c (named in the original
# document), block/blk-core.c, drivers/nvme, drivers/ata.
_MATTERS = re.compile(
    r"out of memory|oom[-_ ]kill|oom_reaper|killed process|invoked oom|page allocation failure"
    r"|temperature above threshold|cpu clock throttled|critical temperature|thermal.*(?:shutdown|critical)"
    r"|kernel panic|\boops:|\bbug:|general protection fault|call trace"
    r"|soft lockup|hard lockup|blocked for more than \d+ seconds|rcu.*(?:stall|starved)"
    r"|machine check|hardware error"
    r"|acpi.*\bec\b.*(?:un)?block|interrupt (?:un)?blocked"
    r"|i/o error|\bata\d+.*(?:failed|exception|error)|nvme.*(?:timeout|reset)|ext4-fs error|filesystem read-only"
    r"|under-?voltage|power key pressed|pm: suspend (?:entry|exit)|pm: resume",
    re.IGNORECASE,
)
_COMMAND_LINE = re.compile(r"command line:", re.IGNORECASE)  # names panic, oops and watchdog as options


# `dmesg --ctime`: [Wed Nov 25 13:00:11 2026], in local time
_WRITTEN = re.compile(r"\[(\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4})\]")


def kernel_lines_since(lines: Iterable[str], since: float) -> list[str]:
    """Those of `dmesg --ctime` that were written at `since` (unix seconds) or later, or say no time."""
    return [line for line in lines if _written_at(line) >= since]


def _written_at(line: str) -> float:
    found = _WRITTEN.match(line)
    try:
        return float("inf") if found is None else time.mktime(time.strptime(found.group(1)))
    except (ValueError, OverflowError):
        return float("inf")


def kernel_lines_that_matter(lines: Iterable[str], limit: int = LINES_KEPT) -> tuple[str, ...]:
    """The last ones that tell of memory, heat, a hang, a panic, sleep or the disk; each cut to a readable length."""
    found = [line.rstrip()[:_LINE_LIMIT_CHARS] for line in lines if _matters(line)]
    return tuple(found[-limit:])


def _matters(line: str) -> bool:
    return _MATTERS.search(line) is not None and _COMMAND_LINE.search(line) is None
