"""The port: free, taken by this panel, taken by somebody else, impossible."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest

from j5a_admin.doctor.findings import Status
from j5a_admin.doctor.network import Listener, judge_port, listening_inodes
from tests.support.doctor_runs import run_doctor

TAKEN = OSError(errno.EADDRINUSE, "Address already in use")
STRANGER = Listener(pid=7, name="nginx", is_ours=False)
OURS = Listener(pid=8, name="python gunicorn", is_ours=True)


@pytest.mark.parametrize(
    ("problem", "listeners", "status", "says"),
    [
        (None, (), Status.PASS, "127.0.0.1:8000 is free."),
        (TAKEN, (OURS,), Status.PASS, "This panel listens on 127.0.0.1:8000 (PID 8)."),
        (TAKEN, (STRANGER, OURS), Status.PASS, "This panel listens"),
        (TAKEN, (STRANGER,), Status.FAIL, "nginx (PID 7) has 127.0.0.1:8000."),
        (TAKEN, (), Status.FAIL, "A program that we may not look at"),
        (OSError(errno.EACCES, "Permission denied"), (), Status.FAIL, "cannot listen on 127.0.0.1:8000: Permission"),
        (OSError(errno.EADDRNOTAVAIL, "Cannot assign"), (), Status.FAIL, "cannot listen"),
        (socket.gaierror(-2, "Name or service not known"), (), Status.FAIL, "Name or service not known"),
    ],
)
def test_it_judges_the_port(
    problem: OSError | None, listeners: tuple[Listener, ...], status: Status, says: str
) -> None:
    finding = judge_port("127.0.0.1:8000", problem, listeners)
    assert finding.status is status
    assert says in finding.sentence
    assert bool(finding.advice) is (status is Status.FAIL)


def test_it_reads_which_sockets_listen_on_a_port() -> None:
    table = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 111 1 0 100\n"
        "   1: 0100007F:1F40 0100007F:C000 01 00000000:00000000 00:00000000 00000000  1000        0 222 1 0 100\n"
        "   2: 0100007F:1F41 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 333 1 0 100\n"
    )
    assert listening_inodes(table, 8000) == {"111"}


def test_it_reads_the_table_of_the_newer_addresses() -> None:
    table = (
        "  sl  local_address                         remote_address                        st tx_queue rx_queue\n"
        "   0: 00000000000000000000000001000000:1F40 00000000000000000000000000000000:0000 0A 00000000:00000000 "
        "00:00000000 00000000     0        0 444 1 0 100\n"
    )
    assert listening_inodes(table, 8000) == {"444"}


def test_it_names_the_program_that_has_a_real_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = run_doctor(tmp_path, "--json", J5A_PORT=str(port))
    finding = answer.findings["port"]
    assert answer.code == 1
    assert finding.status is Status.FAIL
    assert finding.sentence.endswith(f"(PID {os.getpid()}) has 127.0.0.1:{port}.")
    assert "J5A_PORT" in finding.advice


def test_it_passes_a_real_port_that_is_free(tmp_path: Path) -> None:
    finding = run_doctor(tmp_path, "--json").findings["port"]
    assert (finding.status, finding.sentence.endswith("is free.")) == (Status.PASS, True)


def test_it_fails_for_an_address_of_another_machine(tmp_path: Path) -> None:
    answer = run_doctor(tmp_path, "--json", J5A_BIND="192.0.2.1")  # RFC 5737: for documentation, nobody's
    assert answer.findings["port"].status is Status.FAIL
    assert answer.findings["port"].advice == "J5A_BIND must be an address of this machine."
