"""`gate run` in the background of a terminal that stops whoever writes from there: the watch goes on, and is heard."""

from __future__ import annotations

import os
import pty
import sys
import termios

from tests.support.panel import until
from tests.support.run_place import TINY, Place

# Its own session on the terminal that is its stdin; then `gate run` in a group that is not the terminal's.
_BACKGROUND = """
import fcntl, os, subprocess, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.tcsetpgrp(0, os.getpgrp())
sys.exit(subprocess.run(sys.argv[1:], process_group=0).returncode)
"""
TALKS = "sleep 0.5 >/dev/null 2>&1 & exit 7"


def test_it_is_not_stopped_by_its_own_message(place: Place) -> None:
    master, terminal = pty.openpty()
    try:
        state = termios.tcgetattr(terminal)
        state[3] |= termios.TOSTOP
        termios.tcsetattr(terminal, termios.TCSANOW, state)
        command = [sys.executable, "manage.py", "gate", *TINY, "sh", "-c", TALKS]
        runner = place.start_any([sys.executable, "-c", _BACKGROUND, *command], stdin=terminal, stderr=terminal)
        until(lambda: runner.poll() is not None, seconds=40, what="it has ended")
        assert runner.returncode == 7
        assert b"The command has ended with 7" in os.read(master, 4096)
    finally:
        os.close(terminal)
        os.close(master)
