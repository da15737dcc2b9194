"""The name under which this machine's rows are kept: drawn once from its host name, so that a new one changes nothing.

Beside the name stands a hash of the machine's id: whoever copies the data directory to another machine gets that
machine's own name there.
"""

from __future__ import annotations

import hashlib
import os
import socket
from contextlib import suppress
from pathlib import Path

from j5a_admin.env import NAME_LIMIT
from j5a_admin.secret import faults_told, private_directory, secret_write

__all__ = ["host_name_kept", "host_name_known"]

_MACHINE_ID = Path("/etc/machine-id")  # machine-id(5): says itself that it should be shown to others only hashed


def host_name_kept(path: Path) -> str:
    """The name in `path`, written there at the first call. Where it cannot be written, the host name of today.

    Raises ImproperlyConfigured when there is no folder for it, or `path` is there and cannot be read: another name
    would hide this machine's history.
    """
    if name := host_name_known(path):
        return name
    machine = _machine_hash()
    name = socket.gethostname().encode(errors="backslashreplace").decode()  # the kernel takes any bytes
    private_directory(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        secret_write(temporary, f"{name}\n{machine}")
        temporary.replace(path)
    except OSError:  # a full disk: the next start keeps it
        with suppress(OSError):
            temporary.unlink()
    return name


def host_name_known(path: Path) -> str:
    """The name that `path` keeps for this machine; empty where it keeps none, or that of another machine."""
    machine = _machine_hash()
    name, its_machine = _read(path)
    return name if not its_machine or not machine or its_machine == machine else ""


def _read(path: Path) -> tuple[str, str]:
    """Name and machine; empty where the file does not say."""
    try:
        with faults_told(path, "J5A_DATA_DIR"):
            name, _, machine = _text(path).partition("\n")
    except ValueError:
        return "", ""
    is_name = name.isprintable() and name == name.strip() and len(name) <= NAME_LIMIT
    return (name, machine.strip()) if is_name else ("", "")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _machine_hash() -> str:
    """Empty where the machine has no id, as in many containers: then the name is kept wherever the data goes."""
    try:
        known = _MACHINE_ID.read_bytes().strip()
    except OSError:
        return ""
    return hashlib.sha256(b"j5a " + known).hexdigest()[:32] if len(known) == 32 else ""
