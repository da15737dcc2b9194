"""Which lines of the kernel's log matter to an incident."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["LINES_KEPT", "kernel_lines_that_matter"]

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


def kernel_lines_that_matter(lines: Iterable[str], limit: int = LINES_KEPT) -> tuple[str, ...]:
    """The last ones that tell of memory, heat, a hang, a panic, sleep or the disk; each cut to a readable length."""
    found = [line.rstrip()[:_LINE_LIMIT_CHARS] for line in lines if _matters(line)]
    return tuple(found[-limit:])


def _matters(line: str) -> bool:
    return _MATTERS.search(line) is not None and _COMMAND_LINE.search(line) is None
