"""What a test needs to show the gate another machine: a mount namespace of its own."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest


def may_skip(reason: str) -> None:
    """Skip with the reason, but never in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must run this: {reason}")
    pytest.skip(reason)


def need_namespaces() -> None:
    if os.geteuid() != 0:
        may_skip("not root: no mount namespace of its own")
    if shutil.which("unshare") is None:
        may_skip("unshare is not installed")
    tried = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    if tried.returncode != 0:
        may_skip(f"unshare was refused: {tried.stderr.decode().strip()}")
