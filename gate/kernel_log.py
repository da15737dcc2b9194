"""The kernel's log, where it may be read. Bounded in time and size, and never an error."""

from __future__ import annotations

import os
import subprocess
import tempfile

from gate.core.incidents.kernel_lines import kernel_lines_that_matter
from gate.core.incidents.occurrence import Evidence

__all__ = ["kernel_evidence"]

TIMEOUT_SECONDS = 5.0
READ_LIMIT_BYTES = 512 * 1024
LINES_ASKED = 4000

_JOURNAL = ("journalctl", "--dmesg", "--no-pager", "--quiet", "--output=short-iso", f"--lines={LINES_ASKED}")
_COMMANDS = {
    True: (("the boot before", (*_JOURNAL, "--boot=-1")),),
    False: (("this boot", (*_JOURNAL, "--boot=0")), ("this boot", ("dmesg", "--ctime", "--nopager"))),
}


def kernel_evidence(*, boot_before: bool) -> Evidence:
    """The lines that matter, of the boot before or of this one; or why there are none."""
    problems: list[str] = []
    for which, command in _COMMANDS[boot_before]:
        lines, problem = _output(command)
        if problem:
            problems.append(f"{command[0]}: {problem}")
        elif lines:
            found = kernel_lines_that_matter(lines)
            told = "\n".join(found) or f"None of the last {len(lines)} lines tells of memory, heat, a hang or the disk."
            return Evidence(title=f"Kernel lines of {which} ({command[0]})", text=told)
    text = "\n".join(problems) or "The kernel's log of that time is not kept, or this account may not read it."
    hint = "\nA persistent journal keeps it over a restart: make the directory /var/log/journal." if boot_before else ""
    return Evidence(title="Kernel lines", text=text + hint)


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
