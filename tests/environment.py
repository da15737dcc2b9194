"""Loaded before everything else (`-p tests.environment`): the suite never touches the real data or lock directory."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

for name in [name for name in os.environ if name.startswith("J5A_") and name != "J5A_REQUIRE_BROWSER"]:
    del os.environ[name]

ROOT = Path(tempfile.mkdtemp(prefix="j5a-tests-"))
os.environ["J5A_DATA_DIR"] = str(ROOT / "var")
os.environ["J5A_LOCK_DIR"] = str(ROOT / "locks")
atexit.register(shutil.rmtree, ROOT, ignore_errors=True)
