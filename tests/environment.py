"""Loaded before everything else (`-p tests.environment`): the suite never touches the real data or lock directory."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
from pathlib import Path

# Started in the background of a script, this process has these ignored, and would hand that on to all it starts.
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)

for name in [name for name in os.environ if name.startswith("J5A_") and name != "J5A_REQUIRE_BROWSER"]:
    del os.environ[name]

ROOT = Path(tempfile.mkdtemp(prefix="j5a-tests-"))
os.environ["J5A_DATA_DIR"] = str(ROOT / "var")
os.environ["no_proxy"] = "*"  # servers of tests are on this machine, whatever proxy leads to the others
os.environ["J5A_LOCK_DIR"] = str(ROOT / "locks")
atexit.register(shutil.rmtree, ROOT, ignore_errors=True)
