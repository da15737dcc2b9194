"""What a test needs to show a program another machine: a mount namespace of its own, with look-alikes in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


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


def in_place_of(look_alikes: Mapping[str, Path], hostname: str = "") -> tuple[str, ...]:
    """Words to put before a command, which takes their process's place: it finds each look-alike under the path that is
    its key, and the machine under this name if one is given.
    """
    rename = 'echo "$1" >/proc/sys/kernel/hostname && ' if hostname else ""
    binds = "".join(f'mount --bind "$2" {target} && shift && ' for target in look_alikes)
    script = f'mount --make-rprivate / && {rename}{binds}shift && exec "$@"'
    own_name = ("--uts",) if hostname else ()
    return ("unshare", "--mount", *own_name, "sh", "-ec", script, "sh", hostname, *map(str, look_alikes.values()))


def another_boot(folder: Path, boot_id: str = "") -> dict[str, Path]:
    """A look-alike for `in_place_of`: the kernel tells this boot id, or a new one."""
    told = folder / "boot_id"
    told.write_text(f"{boot_id or uuid.uuid4()}\n")
    return {str(BOOT_ID): told}
