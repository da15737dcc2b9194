"""The kernel's log, where it may be read. Bounded in time and size, and never an error."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO

from gate.core.incidents.kernel_lines import kernel_lines_since, kernel_lines_that_matter
from gate.core.incidents.occurrence import Evidence

__all__ = ["TITLE", "kernel_evidence"]

TITLE = "Kernel lines"  # how the title of such evidence begins

TIMEOUT_SECONDS = 5.0
READ_LIMIT_BYTES = 512 * 1024
LINES_ASKED = 4000
SAID_BYTES = 300
PERSISTENT = Path("/var/log/journal")  # journald.conf(5), Storage=auto

BEFORE_SECONDS = 600.0  # what announces a freeze: memory that runs out, a processor that is throttled
MATTERS = "memory, heat, a hang or the disk"

_JOURNAL = ("journalctl", "--dmesg", "--no-pager", "--quiet", "--output=short-iso", f"--lines={LINES_ASKED}")
_DMESG = ("dmesg", "--ctime", "--nopager")


def kernel_evidence(*, since: float, boot_id: str | None = None) -> Evidence:
    """The lines that matter, or why there are none.

    Of the boot with that id, which has ended: its last ones. Of this boot (None): those from ten minutes before `since`
    (unix seconds) on, because what the kernel did hours before has nothing to do with it.
    """
    since -= BEFORE_SECONDS
    which = "that time" if boot_id is None else "the boot that ended"
    problems: list[str] = []
    for command in _commands(since, boot_id):
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
    if boot_id is not None and not PERSISTENT.is_dir():
        text += f"\nA persistent journal keeps it over a restart: make the directory {PERSISTENT}."
    return Evidence(title=TITLE, text=text)


def _commands(since: float, boot_id: str | None) -> tuple[tuple[str, ...], ...]:
    if boot_id is not None:  # not "the boot before": the panel need not have been started in each
        return ((*_JOURNAL, f"--boot={boot_id.replace('-', '')}"),)
    return (*_JOURNAL, "--boot=0", f"--since=@{max(0, int(since))}"), _DMESG


def _slept_seconds() -> float:
    """dmesg reckons its times from a clock that stands still while the machine sleeps, so they lag by so much."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


def _output(command: tuple[str, ...]) -> tuple[list[str], str]:
    """The last lines of what it prints, and what went wrong. Output goes to a file: a pipe could be any length."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as complaint:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=complaint,
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
            said = _end_of(complaint, SAID_BYTES).strip() or "it may not be readable for this account"
            return [], f"exit code {done.returncode}: {said}"
        return _end_of(output, READ_LIMIT_BYTES).splitlines(), ""


def _end_of(file: IO[bytes], limit_bytes: int) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - limit_bytes))
    return file.read().decode(errors="replace")
