"""A publisher of weights on 127.0.0.1: a real HTTP server that can cut, refuse, change its file, or know no ranges."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from transcribe.catalog import CatalogModel

CLOSED_PORT = "http://127.0.0.1:9"  # discard: nobody listens there


@dataclass
class Publisher:
    """`content` is what it gives; assign to change its manners. `asked` holds the Range of every request."""

    content: bytes
    etag: str | None = '"v1"'
    knows_ranges: bool = True
    cut_after_bytes: list[int] = field(default_factory=list)  # of each answer, until the list is empty
    statuses: list[int] = field(default_factory=list)  # errors to give first
    says_length: bool = True
    asked: list[str | None] = field(default_factory=list)
    if_ranges: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def publishing(content: bytes) -> Iterator[Publisher]:
    publisher = Publisher(content)
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(publisher)) as server:
        publisher.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield publisher
        finally:
            server.shutdown()
            thread.join()


def model_of(content: bytes, url: str = CLOSED_PORT) -> CatalogModel:
    """A catalogue entry as whisper's: the hash is a folder of its address."""
    sha256 = hashlib.sha256(content).hexdigest()
    return CatalogModel(
        name="tiny", url=f"{url}/models/{sha256}/tiny.pt", sha256=sha256, file_name="tiny.pt", english_only=False
    )


def _handler(publisher: Publisher) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            publisher.paths.append(self.path)
            publisher.asked.append(self.headers.get("Range"))
            publisher.if_ranges.append(self.headers.get("If-Range"))
            if publisher.statuses:
                self.send_error(publisher.statuses.pop(0))
                return
            self._answer(publisher.content)

        def _answer(self, content: bytes) -> None:
            start = self._start()
            if start is not None and start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200 if start is None else 206)
            if start is not None:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            body = content[start or 0 :]
            if publisher.says_length:
                self.send_header("Content-Length", str(len(body)))
            if publisher.etag is not None:
                self.send_header("ETag", publisher.etag)
            self.end_headers()
            self.wfile.write(body[: publisher.cut_after_bytes.pop(0)] if publisher.cut_after_bytes else body)

        def _start(self) -> int | None:
            """Where the asked range begins, None for the whole file."""
            match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            condition = self.headers.get("If-Range")
            if match is None or not publisher.knows_ranges or condition not in (None, publisher.etag):
                return None
            return int(match[1])

        def log_message(self, *_: object) -> None: ...

    return Handler


def never() -> bool:
    return False


def after(count: int) -> Callable[[], bool]:
    """True from the asking after `count` on."""
    left = iter(range(count))
    return lambda: next(left, None) is None
