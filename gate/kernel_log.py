"""The kernel's log, where it may be read. Bounded in time and size, and never an error."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time

from gate.core.incidents.kernel_lines import kernel_lines_since, kernel_lines_that_matter
from gate.core.incidents.occurrence import Evidence

__all__ = ["TITLE", "kernel_evidence"]

TITLE = "Kernel lines"  # how the title of such evidence begins

TIMEOUT_SECONDS = 5.0
READ_LIMIT_BYTES = 512 * 1024
LINES_ASKED = 4000

BEFORE_SECONDS = 600.0  # what announces a freeze: memory that runs out, a processor that is throttled
MATTERS = "memory, heat, a hang or the disk"

_JOURNAL = ("journalctl", "--dmesg", "--no-pager", "--quiet", "--output=short-iso", f"--lines={LINES_ASKED}")
_DMESG = ("dmesg", "--ctime", "--nopager")


def kernel_evidence(*, since: float, boot_before: bool) -> Evidence:
    """The lines that matter, or why there are none.

    Of the boot before: its last ones. Of this boot: those from ten minutes before `since` (unix seconds) on, because
    what the kernel did hours before has nothing to do with it.
    """
    since -= BEFORE_SECONDS
    which = "the boot before" if boot_before else "that time"
    problems: list[str] = []
    for command in _commands(since, boot_before=boot_before):
        lines, problem = _output(command)
        if problem:
            problems.append(f"{command[0]}: {problem}")
        elif lines:
            if command is _DMESG:
                lines = kernel_lines_since(lines, since - _slept_seconds())
            found = kernel_lines_that_matter(lines)
            told = "\n".join(found) or f"Nothing in it tells of {MATTERS} ({len(lines)} lines were read)."
            return Evidence(title=f"{TITLE} of {which} ({command[0]})", text=told)
    text = "\n".join(problems) or "The kernel's log of that time is not kept, or this account may not read it."
    hint = "\nA persistent journal keeps it over a restart: make the directory /var/log/journal." if boot_before else ""
    return Evidence(title=TITLE, text=text + hint)


def _commands(since: float, *, boot_before: bool) -> tuple[tuple[str, ...], ...]:
    if boot_before:
        return ((*_JOURNAL, "--boot=-1"),)
    return (*_JOURNAL, "--boot=0", f"--since=@{max(0, int(since))}"), _DMESG


def _slept_seconds() -> float:
    """dmesg reckons its times from a clock that stands still while the machine sleeps, so they lag by so much."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


def _output(command: tuple[str, ...]) -> tuple[list[str], str]:
    """The last lines of what it prints, and what went wrong. Output goes to a file: a pipe could be any length."""
    with tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "LC_ALL": "C"},
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            return [], "not installed"
        except subprocess.TimeoutExpired:
            return [], f"no answer within {TIMEOUT_SECONDS:g} s"
        except OSError as error:
            return [], error.strerror or str(error)
        if done.returncode != 0:
            return [], f"exit code {done.returncode}; it may not be readable for this account"
        size = output.seek(0, os.SEEK_END)
        output.seek(max(0, size - READ_LIMIT_BYTES))
        return output.read().decode(errors="replace").splitlines(), ""
