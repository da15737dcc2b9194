"""A real systemd journal with lines of the kernel, of boots that this machine never had."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tests.support.machines import may_skip

WRITER = Path("/lib/systemd/systemd-journal-remote")
MACHINE_ID = Path("/etc/machine-id")
HOUR = 3600


def write_journal(log_dir: Path, boots: Mapping[str, str]) -> Path:
    """A look-alike of /var/log whose journal has one line of the kernel for each boot id, oldest boot first."""
    if shutil.which("journalctl") is None or not WRITER.exists():
        may_skip("journalctl or systemd-journal-remote is not installed")
    machine_id = MACHINE_ID.read_text().strip() if MACHINE_ID.exists() else ""
    if not machine_id:
        may_skip(f"{MACHINE_ID} is empty: systemd-machine-id-setup makes one")
    folder = log_dir / "journal" / machine_id
    folder.mkdir(parents=True)
    exported = log_dir / "journal.export"
    begun = int(time.time()) - HOUR * len(boots)
    entries = [
        {
            "__REALTIME_TIMESTAMP": f"{(begun + HOUR * number) * 10**6}",
            "__MONOTONIC_TIMESTAMP": f"{10**7}",
            "_BOOT_ID": boot_id.replace("-", ""),
            "_MACHINE_ID": machine_id,
            "_HOSTNAME": "mini",
            "_TRANSPORT": "kernel",
            "SYSLOG_IDENTIFIER": "kernel",
            "PRIORITY": "3",
            "MESSAGE": message,
        }
        for number, (boot_id, message) in enumerate(boots.items())
    ]
    texts = ("".join(f"{name}={value}\n" for name, value in entry.items()) for entry in entries)
    exported.write_text("\n".join(texts) + "\n")
    done = subprocess.run(
        [WRITER, "--output", folder / "system.journal", exported],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return log_dir
