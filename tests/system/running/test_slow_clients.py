"""Clients that send half a request, drip it, or never take their answers: the pages come to everybody else."""

from __future__ import annotations

import contextlib
import re
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator

import psutil
import pytest

from j5a_admin.management.commands.up import WEB_THREADS
from tests.support.panel import PATIENCE, Panel, until

PAGE_SECONDS = 2.0  # on a quiet machine
TRIES = 4
MEMORY_BYTES = 150 * 1024**2  # more than before, with a thousand clients
LARGE = "/static/admin/js/vendor/jquery/jquery.js"  # 285 KB
HALF = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: "
FORM = (
    b"POST /admin/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nCookie: j5a_csrf=" + b"x" * 32 + b"\r\n\r\nx"
)


def half_requests(panel: Panel) -> bytes:
    return HALF


def slow_bodies(panel: Panel) -> bytes:
    return FORM


def answers_not_taken(panel: Panel) -> bytes:
    return f"GET {LARGE} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() * 500


def uploads_of_nobody(panel: Panel) -> bytes:
    return (
        b"POST /jobs/upload/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000000\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
    )


ATTACKS = [half_requests, slow_bodies, answers_not_taken, uploads_of_nobody]


@pytest.mark.parametrize("count", [WEB_THREADS, 200, 1000])
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_page_comes_within_two_seconds(panel: Panel, attack: Callable[[Panel], bytes], count: int) -> None:
    web = served_by(panel)
    memory = web.memory_info().rss
    with clients(panel, attack(panel), count):
        took = [page_seconds(panel) for _ in range(TRIES)]
        print(f"{attack.__name__} × {count}: {max(took):.2f} s, {(web.memory_info().rss - memory) >> 20} MiB, "
              f"{web.num_fds()} descriptors")  # fmt: skip
        assert max(took) < PAGE_SECONDS * PATIENCE, took
        assert web.num_fds() < 700
        assert web.memory_info().rss - memory < MEMORY_BYTES


@pytest.mark.parametrize("attack", [half_requests, slow_bodies])
def test_dripping_keeps_nothing_open(panel: Panel, attack: Callable[[Panel], bytes]) -> None:
    """Each byte is a sign of life, and still the whole must come in time."""
    with clients(panel, attack(panel), 1) as (client,):
        until(lambda: _ended(client), seconds=15, what="the panel has ended it")


def _ended(client: socket.socket) -> bool:
    try:
        client.send(b"x")
        return bool(client.recv(1000, socket.MSG_DONTWAIT).startswith(b"HTTP/1.1 408"))
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_a_pipelined_request_is_to_be_asked_again(panel: Panel) -> None:
    """Thousands on one connection would keep the threads busy for a client that takes no answer."""
    with clients(panel, b"GET /admin/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 3, 1) as (client,):
        client.settimeout(10)
        answers = b"".join(iter(lambda: client.recv(65536), b""))
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200"]
    assert b"\r\nConnection: close\r\n" in answers


def test_a_client_that_reads_slowly_gets_the_whole_answer(panel: Panel) -> None:
    whole = panel.get(LARGE).encode()
    with clients(panel, f"GET {LARGE} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode(), 1) as (client,):
        client.settimeout(10)
        parts = []
        while part := client.recv(1500):
            parts.append(part)
    assert b"".join(parts).split(b"\r\n\r\n", 1)[1] == whole


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST /admin/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 300000\r\n\r\n", b"413"),
        (b"POST /admin/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 70_000, b"431"),
        (b"nonsense\r\n\r\n", b"400"),
    ],
)
def test_what_is_no_request_of_ours_is_refused(panel: Panel, sent: bytes, status: bytes) -> None:
    with clients(panel, sent, 1) as (client,):
        client.settimeout(10)
        assert client.recv(1000).split()[1] == status


def page_seconds(panel: Panel) -> float:
    begun = time.monotonic()
    with contextlib.suppress(OSError), urllib.request.urlopen(panel.url + "/admin/login/", timeout=10) as answer:
        assert answer.status == 200
        answer.read()
        return time.monotonic() - begun
    return float("inf")


def served_by(panel: Panel) -> psutil.Process:
    (process,) = panel.child("gunicorn").children()
    return process


@contextlib.contextmanager
def clients(panel: Panel, words: bytes, count: int) -> Iterator[list[socket.socket]]:
    """As many, each of which has sent that (as much as is taken), and takes nothing."""
    opened: list[socket.socket] = []
    try:
        for _ in range(count):
            opened.append(socket.socket())
            opened[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # the kernel takes no answer for it
            opened[-1].settimeout(10)
            opened[-1].connect(("127.0.0.1", panel.port))
            opened[-1].setblocking(False)
            with contextlib.suppress(OSError):
                opened[-1].send(words)
        yield opened
    finally:
        for one in opened:
            one.close()
