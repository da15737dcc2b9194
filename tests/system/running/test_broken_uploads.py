"""Uploads that break off or fall silent: nothing stays, and what is said is true."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from j5a_admin.web_connection import SILENT_SECONDS
from j5a_admin.web_worker import UPLOAD_PATH
from tests.support.panel import Panel, csrf_token, until
from transcribe.upload_room import UPLOADS_OF_ONE_MAX

RESET = struct.pack("ii", 1, 0)  # SO_LINGER of no seconds: close() sends RST


@contextlib.contextmanager
def begun(panel: Panel, content: bytes = b"x" * 1_000_000) -> Iterator[socket.socket]:
    """An upload of 10 MB, of which so much has been sent."""
    panel.login()
    token = csrf_token(panel.get("/jobs/"))
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in panel.cookies)
    body = (
        f'--b\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{token}\r\n'
        '--b\r\nContent-Disposition: form-data; name="files"; filename="cut.wav"\r\n\r\n'
    ).encode() + content
    head = (
        f"POST {UPLOAD_PATH} HTTP/1.1\r\nHost: 127.0.0.1:{panel.port}\r\nReferer: {panel.url}/jobs/\r\n"
        f"Cookie: {cookies}\r\nAccept: application/json\r\nContent-Length: 10000000\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", panel.port), timeout=60) as connection:
        connection.sendall(head + body)
        yield connection


def incoming(panel: Panel) -> list[Path]:
    return list((panel.data_dir / "uploads" / "incoming").iterdir())


def _all_of(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("how", ["reset", "closed"])
def test_a_cut_upload_leaves_nothing(panel: Panel, how: str) -> None:
    with begun(panel) as connection:
        until(lambda: incoming(panel), seconds=10, what="it has begun")
        if how == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    until(lambda: not incoming(panel), seconds=3, what="the file is gone")
    assert panel.rows("SELECT id FROM transcribe_job WHERE title LIKE 'cut%'") == []
    assert "Traceback" not in panel.log()


def test_a_silent_upload_is_told_so(panel: Panel) -> None:
    with begun(panel) as connection:
        since = time.monotonic()
        answer = _all_of(connection)
        assert time.monotonic() - since < SILENT_SECONDS + 5
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400")
    assert "Nothing more of the upload arrived for 30 seconds" in json.loads(body)["error"]
    assert incoming(panel) == []


def test_one_person_has_so_many_uploads_at_a_time(panel: Panel) -> None:
    with contextlib.ExitStack() as uploads:
        for count in range(UPLOADS_OF_ONE_MAX):
            uploads.enter_context(begun(panel))
            until(lambda wanted=count + 1: len(incoming(panel)) == wanted, seconds=10, what="it has begun")
        with begun(panel, b"") as one_more:
            assert b"uploads under way" in _all_of(one_more)
    until(lambda: not incoming(panel), seconds=3, what="the files are gone")
