"""One HTTP download into a file, able to go on where an earlier one stopped. Light: urllib only."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import re
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

# Told (done_bytes, total_bytes or None when unknown).
OnProgress = Callable[[int, int | None], None]
ShouldStop = Callable[[], bool]

# A server that is silent for so long is gone.
SOCKET_TIMEOUT_SECONDS = 30.0
READ_BYTES = 1 << 20
READ_AHEAD_BLOCKS = 4
ASK_EVERY_SECONDS = 0.5  # how often a silent server's client asks whether to stop
PROGRESS_EVERY_SECONDS = 0.25
# Worth another try: the server is busy or restarting (RFC 9110, 15.5.9, 15.6; RFC 6585, 4).
PASSING_STATUSES = (408, 429, 500, 502, 503, 504)
CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")


class Cut(Exception):
    """The connection failed or ended early; another try may get further."""


class Refused(Exception):
    """The server's answer is final."""


@dataclass(frozen=True)
class _Answer:
    """Begins with byte `start_byte` of a file of `total_bytes` (None: unknown)."""

    response: http.client.HTTPResponse
    start_byte: int
    total_bytes: int | None


class Download:
    """Brings `part_path` to the full length of `url`; `about_path` remembers which version of it is there."""

    def __init__(self, url: str, part_path: Path, about_path: Path) -> None:
        self._url = url
        self._part_path = part_path
        self._about_path = about_path

    @property
    def have_bytes(self) -> int:
        return self._part_path.stat().st_size if self._part_path.exists() else 0

    def run(
        self,
        on_progress: OnProgress,
        should_stop: ShouldStop,
        *,
        require_space: Callable[[int], None],
    ) -> None:
        """Fetch what is missing, then fsync. Raises Cut, Refused, OSError of the disk, what `require_space`
        raises.

        When `should_stop` says so it raises Cut: what has come so far stays.
        """
        answer = self._ask()
        if answer is None:
            return
        try:
            if answer.total_bytes is not None:
                require_space(answer.total_bytes - answer.start_byte)
            self._remember(answer.response.headers.get("ETag"))
        except BaseException:
            answer.response.close()
            raise
        self._receive(answer, on_progress, should_stop, require_space)
        if answer.total_bytes is not None and self.have_bytes != answer.total_bytes:
            raise Cut(f"the connection ended after {self.have_bytes} of {answer.total_bytes} bytes")

    def _ask(self) -> _Answer | None:
        """Ask for the rest of the file; None when it is all here."""
        have_bytes = self.have_bytes
        try:
            response = _opener().open(self._request(have_bytes), timeout=SOCKET_TIMEOUT_SECONDS)
        except urllib.error.HTTPError as error:
            with error:
                return self._after_error(error, have_bytes)
        except (OSError, http.client.HTTPException) as error:
            raise Cut(_cause(error)) from error
        start_byte, total_bytes = _range(response)
        if start_byte != have_bytes and start_byte != 0:
            response.close()
            raise Refused(f"{_host(self._url)} answered with another part than was asked for")
        return _Answer(response, start_byte, total_bytes)

    def _request(self, have_bytes: int) -> urllib.request.Request:
        # identity: a compressed answer would have other lengths and another hash.
        # S310: _opener bars every scheme but http and https.
        request = urllib.request.Request(self._url, headers={"Accept-Encoding": "identity"})  # noqa: S310
        if have_bytes:
            request.add_header("Range", f"bytes={have_bytes}-")
            etag = self._remembered_etag()
            if etag is not None:
                # RFC 9110, 13.1.5: the rest if it is still the same file, otherwise all of the new one.
                request.add_header("If-Range", etag)
        return request

    def _after_error(self, error: urllib.error.HTTPError, have_bytes: int) -> _Answer | None:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have_bytes:
            match = CONTENT_RANGE.fullmatch(error.headers.get("Content-Range", ""))
            if match is not None and match[2] == str(have_bytes):
                return None
            self._part_path.unlink()
            return self._ask()
        message = f"{_host(self._url)} answered {error.code} {error.reason}"
        raise Cut(message) if error.code in PASSING_STATUSES else Refused(message)

    def _receive(
        self, answer: _Answer, on_progress: OnProgress, should_stop: ShouldStop, require_space: Callable[[int], None]
    ) -> None:
        done_bytes = answer.start_byte
        told_at = 0.0
        with self._part_path.open("r+b" if answer.start_byte else "wb") as part:
            part.seek(answer.start_byte)
            try:
                for block in _blocks(answer.response, should_stop):
                    if answer.total_bytes is None:
                        require_space(len(block))
                    part.write(block)
                    done_bytes += len(block)
                    if should_stop():
                        raise Cut("stopped")
                    if time.monotonic() - told_at >= PROGRESS_EVERY_SECONDS:
                        told_at = time.monotonic()
                        on_progress(done_bytes, answer.total_bytes)
            finally:
                part.flush()
                os.fsync(part.fileno())
        on_progress(done_bytes, answer.total_bytes)

    def _remember(self, etag: str | None) -> None:
        self._about_path.write_text(json.dumps({"url": self._url, "etag": etag}) + "\n", encoding="utf-8")

    def _remembered_etag(self) -> str | None:
        """The strong ETag of what is in the part file, None when unknown."""
        try:
            about = json.loads(self._about_path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        etag = about.get("etag") if isinstance(about, dict) and about.get("url") == self._url else None
        # A weak one may not be used for ranges (RFC 9110, 13.1.5).
        return etag if isinstance(etag, str) and not etag.startswith("W/") else None


def _opener() -> urllib.request.OpenerDirector:
    """http and https only (no file:, ftp:, data:), certificates checked, the environment's proxy honoured."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _range(response: http.client.HTTPResponse) -> tuple[int, int | None]:
    """Where the answer begins and how long the whole file is."""
    if response.status != http.HTTPStatus.PARTIAL_CONTENT:
        length = response.headers.get("Content-Length")
        return 0, int(length) if length is not None and length.isdigit() else None
    match = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if match is None or match[1] is None:
        response.close()
        raise Refused("the answer does not say which part of the file it is")
    return int(match[1]), None if match[2] == "*" else int(match[2])


def _blocks(response: http.client.HTTPResponse, should_stop: ShouldStop) -> Iterator[bytes]:
    """What comes, block after block, read by a thread: a server that is silent must not keep us from stopping.

    Raises:
        Cut: the connection failed, or `should_stop` said so while nothing came. The thread ends with the next block,
            or when the socket's time is over, and closes the response.
    """
    arrived: queue.Queue[bytes | Cut] = queue.Queue(READ_AHEAD_BLOCKS)
    left = threading.Event()
    threading.Thread(target=_read_all, args=(response, arrived, left), daemon=True, name="download").start()
    try:
        while True:
            try:
                item = arrived.get(timeout=ASK_EVERY_SECONDS)
            except queue.Empty:
                if should_stop():
                    raise Cut("stopped") from None
                continue
            if isinstance(item, Cut):
                raise item
            if not item:
                return
            yield item
    finally:
        left.set()


def _read_all(response: http.client.HTTPResponse, arrived: queue.Queue[bytes | Cut], left: threading.Event) -> None:
    with response:
        while not left.is_set():
            item = _read(response)
            while not left.is_set():
                with contextlib.suppress(queue.Full):
                    arrived.put(item, timeout=ASK_EVERY_SECONDS)
                    break
            if isinstance(item, Cut) or not item:
                return


def _read(response: http.client.HTTPResponse) -> bytes | Cut:
    try:
        return response.read1(READ_BYTES)
    except (OSError, http.client.HTTPException) as error:
        return Cut(_cause(error))


def _cause(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    if isinstance(reason, socket.gaierror):
        return f"the server’s name is not known here ({reason.strerror}), as on a machine that is offline"
    return getattr(reason, "strerror", None) or str(reason) or type(error).__name__


def _host(url: str) -> str:
    return urlsplit(url).netloc


__all__ = ["Cut", "Download", "OnProgress", "Refused", "ShouldStop"]
