"""The address that the panel listens on: free, its own, or somebody else's."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from gate.core.processes import command_text, program_name
from gate.core.proctable import ArgvCache, read_process_table
from j5a_admin.doctor.findings import Finding, failed, passed
from j5a_admin.doctor.processes import PanelProcess, PanelRole
from j5a_admin.startable import LISTEN_ADVICE, LISTEN_ADVICE_OTHERWISE, bind_problem

__all__ = ["Listener", "judge_port", "listening_inodes", "network_findings"]

_LISTENING = "0A"  # TCP_LISTEN, include/net/tcp_states.h
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))


@dataclass(frozen=True, kw_only=True)
class Listener:
    """A process that listens on the port. `is_ours`: it belongs to the panel on this data directory."""

    pid: int
    name: str
    is_ours: bool


def network_findings(panels: Sequence[PanelProcess]) -> tuple[Finding, ...]:
    problem = bind_problem(settings.BIND, settings.PORT)
    taken = problem is not None and problem.errno == errno.EADDRINUSE
    listeners = _listeners(settings.PORT, panels) if taken else ()
    return (judge_port(f"{settings.BIND}:{settings.PORT}", problem, listeners),)


def judge_port(address: str, problem: OSError | None, listeners: Sequence[Listener]) -> Finding:
    """`problem`: why the address cannot be listened on."""
    subject = "port"
    if problem is None:
        return passed(subject, f"{address} is free.")
    if problem.errno != errno.EADDRINUSE:
        advice = LISTEN_ADVICE.get(problem.errno or 0, LISTEN_ADVICE_OTHERWISE)
        return failed(subject, f"The panel cannot listen on {address}: {problem.strerror}.", advice)
    ours = [listener for listener in listeners if listener.is_ours]
    if ours:
        return passed(subject, f"This panel listens on {address} (PID {ours[0].pid}).")
    if not listeners:
        advice = "Find it as root (`ss -ltnp`), or choose another port with J5A_PORT."
        return failed(subject, f"A program that we may not look at has {address}.", advice)
    named = ", ".join(f"{listener.name} (PID {listener.pid})" for listener in listeners)
    return failed(subject, f"{named} has {address}.", "Stop it, or choose another port with J5A_PORT.")


def listening_inodes(table: str, port: int) -> frozenset[str]:
    """Sockets that listen on `port`, from the text of /proc/net/tcp: proc(5)."""
    rows = (line.split() for line in table.splitlines()[1:])
    return frozenset(
        row[9] for row in rows if len(row) > 9 and row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port
    )


def _listeners(port: int, panels: Iterable[PanelProcess]) -> tuple[Listener, ...]:
    links = {f"socket:[{inode}]" for path in _TABLES if path.exists() for inode in _inodes(path, port)}
    data_dir = Path(settings.DATA_DIR).resolve()
    ours = {process.pid for process in panels if process.role is PanelRole.WEB and process.data_dir == data_dir}
    return tuple(
        Listener(pid=row.pid, name=command_text((program_name(row.argv, row.name),)), is_ours=row.pid in ours)
        for row in read_process_table(ArgvCache())
        if _has_open(row.pid, links)
    )


def _inodes(table: Path, port: int) -> frozenset[str]:
    return listening_inodes(table.read_text(), port)


def _has_open(pid: int, links: set[str]) -> bool:
    with suppress(OSError), os.scandir(f"/proc/{pid}/fd") as entries:  # ended meanwhile, or not ours to see
        return any(_link(entry.path) in links for entry in entries)
    return False


def _link(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115 - thousands of entries
    except OSError:
        return ""
