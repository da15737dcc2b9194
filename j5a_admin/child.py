"""Become COMMAND, but end (SIGTERM) when the process that started us ends.

`python j5a_admin/child.py PARENT_PID COMMAND…`: the death signal stays set over exec, so nothing is left behind
also when `manage.py up` itself is killed. Imports nothing of ours: it runs before each of the panel's processes.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - the command comes from manage.py up


if __name__ == "__main__":
    main()
