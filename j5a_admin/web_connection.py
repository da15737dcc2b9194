"""One connection of a browser: what came in, what has to go out, and what it is waited for."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

from gunicorn.http.message import Request
from gunicorn.http.unreader import SocketUnreader
from gunicorn.http.wsgi import Response

SILENT_SECONDS = 30.0  # a browser that sends nothing of its upload for so long gives its thread back
HEAD_MAX_BYTES = 64 * 1024  # gunicorn's own limits let no request line and headers of this size through
BLOCKS_AT_A_TIME = 16  # of one answer, before the others get their turn


class Stage(Enum):
    IDLE = "nothing has come yet"
    HEAD = "a part of the request line and headers is here"
    BODY = "a part of a small body is here"
    WORKING = "waits for a thread, or has one"
    SENDING = "the client has still to take a part of its answer"
    LINGERING = "answered, and closed for our part"


class PatientSource:
    """Where an upload is read from; its thread waits here, and nowhere else."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def recv(self, size: int) -> bytes:
        if not self._poll.poll(SILENT_SECONDS * 1000):
            raise TimeoutError("silent")
        if not (data := self._sock.recv(size)):
            raise ConnectionResetError("cut")  # the end of an upload is known: this is none
        return data


class Outbox:
    """Takes everything at once, and sends it as the client takes it. gunicorn's response believes it is a socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._rest = bytearray()

    def sendall(self, data: bytes) -> None:
        self._rest += data
        self.flush()

    send = sendall

    def flush(self) -> bool:
        """Whether all of it is on its way."""
        try:
            while self._rest:
                del self._rest[: self._sock.send(self._rest)]
        except BlockingIOError:
            return False
        return True

    def gettimeout(self) -> float:
        return 0.0

    def __len__(self) -> int:
        return len(self._rest)


class Answer(Response):  # type: ignore[misc]
    def should_close(self) -> bool:
        """What was not read of a body would be taken for the next request."""
        return bool(super().should_close() or self.req.body.reader.length)


class Connection:
    def __init__(self, sock: socket.socket, client: Any, server: Any) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.client = client
        self.server = server
        self.inbox = bytearray()
        self.outbox = Outbox(sock)
        self.request: Any = None
        self.response: Answer | None = None
        self._blocks: Iterator[bytes] | None = None
        self._when_answered: Callable[[], None] | None = None
        self.watched = 0  # the events that the worker's selector looks for
        self.enter(Stage.IDLE, 0)

    def enter(self, stage: Stage, seconds: float) -> None:
        self.stage = stage
        self.since = time.monotonic()
        self.deadline = self.since + seconds

    # ── In ───────────────────────────────────────────────────────────────────────────────────────
    def receive(self) -> bool:
        """Take what has come; False when the client is gone."""
        try:
            data = self.sock.recv(HEAD_MAX_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.inbox += data
        return bool(data)

    def has_head(self) -> bool:
        return b"\r\n\r\n" in self.inbox

    def parse_head(self, cfg: Any) -> None:
        """gunicorn's own parser, so that there are no two opinions on where a request ends."""
        unreader = SocketUnreader(PatientSource(self.sock))
        unreader.unread(bytes(self.inbox))
        self.inbox.clear()
        self.request = Request(cfg, unreader, self.client, 1)
        self.inbox += unreader.take_buffered()

    def has_body(self) -> bool:
        return bool(len(self.inbox) >= self.request.body.reader.length)

    def hand_body(self) -> None:
        """Let the request read what has come of its body; what follows is the next request."""
        length = self.request.body.reader.length
        self.request.unreader.unread(bytes(self.inbox[:length]))
        del self.inbox[:length]

    # ── Out ──────────────────────────────────────────────────────────────────────────────────────
    def answer(self, response: Answer, blocks: Any) -> None:
        self.response = response
        self._blocks = iter(blocks)
        self._when_answered = getattr(blocks, "close", None)

    def pump(self, blocks: int | None = None) -> bool:
        """Send as long as the client takes it, at most so many blocks; whether the whole answer is on its way."""
        while self.response is not None and self._blocks is not None and self.outbox.flush():
            if blocks == 0:
                return False
            blocks = None if blocks is None else blocks - 1
            if (block := next(self._blocks, None)) is None:
                self.response.close()
                self.end_answer()
            else:
                self.response.write(block)
        return self.outbox.flush()

    def end_answer(self) -> None:
        ended, self._when_answered, self._blocks = self._when_answered, None, None
        if ended is not None:
            ended()
