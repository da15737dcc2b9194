"""gunicorn's worker of the panel: browsers are waited for in one loop, and only whole requests get a thread.

So clients that send half a request, or never take their answer, hold a connection each, and no thread. The one
request that is handed over before its body is here is an upload; the view takes only so many of them at a time.
"""

from __future__ import annotations

import os
import queue
import resource
import selectors
import socket
import sys
import threading
import time
from contextlib import suppress
from typing import Any

from gunicorn import util
from gunicorn.http import wsgi
from gunicorn.http.body import LengthReader
from gunicorn.workers.base import Worker

from j5a_admin.web_connection import BLOCKS_AT_A_TIME, HEAD_MAX_BYTES, SILENT_SECONDS, Answer, Connection, Stage

UPLOAD_PATH = "/jobs/upload/"
CONNECTIONS_MAX = 512  # of the 1024 descriptors that a process usually may have
HEAD_SECONDS = 10.0  # from the first moment on, whatever drips in
BODY_SECONDS = 30.0  # of a form
LINGER_SECONDS = 2.0  # for a client to read the answer before the rest of what it sends makes a reset of it
STOP_IDLE_SECONDS = 2.0  # a client may be sending already when the stop comes
SWEEP_SECONDS = 0.5
ACCEPTS_AT_A_TIME = 64
SWITCH_SECONDS = 0.001  # Python's 0.005, times 24 busy threads, is what the loop would wait after each system call


class PanelWorker(Worker):  # type: ignore[misc]
    def init_process(self) -> None:
        self.poller = selectors.DefaultSelector()
        self.connections: set[Connection] = set()
        # The newest first: in a flood some are answered at once, instead of all too late.
        self.ready: queue.LifoQueue[Connection] = queue.LifoQueue()
        self.worked: queue.SimpleQueue[tuple[Connection, bool]] = queue.SimpleQueue()
        self._swept_at = 0.0
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.connections_max = min(CONNECTIONS_MAX, files // 2)
        super().init_process()

    def load_wsgi(self) -> None:
        super().load_wsgi()
        from django.conf import settings

        self.body_max_bytes: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        self.upload_paths = {UPLOAD_PATH, settings.SUB_PATH + UPLOAD_PATH}  # a proxy may take the path away

    def run(self) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        for _ in range(self.cfg.threads):
            threading.Thread(target=self._work, daemon=True).start()
        for listener in self.sockets:
            listener.setblocking(False)
            self.poller.register(listener, selectors.EVENT_READ)
        self.poller.register(self.PIPE[0], selectors.EVENT_READ)
        while self.alive and self.ppid == os.getppid():
            self._turn()
        self._finish()

    def _finish(self) -> None:
        for listener in self.sockets:
            self.poller.unregister(listener)
            listener.close()
        until = time.monotonic() + self.cfg.graceful_timeout
        idle_until = time.monotonic() + STOP_IDLE_SECONDS
        for connection in self.connections:
            if connection.stage in (Stage.IDLE, Stage.HEAD):
                connection.deadline = min(connection.deadline, idle_until)
        while self.connections and time.monotonic() < until:
            self._turn()

    def _turn(self) -> None:
        self.notify()
        for key, _ in self.poller.select(SWEEP_SECONDS if self.connections else 1.0):
            if isinstance(key.data, Connection):
                self._guarded(key.data, self._on_event)
            elif key.fd == self.PIPE[0]:
                self._take_back()
            else:
                self._accept(key.fileobj)
        self._sweep()

    # ── Connections come and go ──────────────────────────────────────────────────────────────────
    def _accept(self, listener: Any) -> None:
        for _ in range(ACCEPTS_AT_A_TIME):
            try:
                sock, client = listener.accept()
            except OSError:
                return
            connection = Connection(sock, client, listener.getsockname())
            connection.enter(Stage.IDLE, HEAD_SECONDS)
            if len(self.connections) >= self.connections_max and not self._make_room():
                sock.close()
                continue
            self.connections.add(connection)
            self._watch(connection, selectors.EVENT_READ)

    def _make_room(self) -> bool:
        """Drop the one that has kept us waiting longest; a request that comes whole never waits."""
        waiting = [connection for connection in self.connections if connection.stage is not Stage.WORKING]
        if waiting:
            self._drop(min(waiting, key=lambda connection: connection.since))
        return bool(waiting)

    def _sweep(self) -> None:
        now = time.monotonic()
        if now - self._swept_at < SWEEP_SECONDS:
            return
        self._swept_at = now
        for connection in [one for one in self.connections if one.stage is not Stage.WORKING and now > one.deadline]:
            if connection.stage in (Stage.HEAD, Stage.BODY):
                self._guarded(connection, self._refuse, 408, "Request Timeout", "The request did not come in time.")
            else:
                self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        self._watch(connection, 0)
        self.connections.discard(connection)
        connection.sock.close()
        with suppress(Exception):  # the answer's own end, of which nobody is there to hear
            connection.end_answer()

    def _watch(self, connection: Connection, events: int) -> None:
        if events == connection.watched:
            return
        if not events:
            self.poller.unregister(connection.sock)
        elif connection.watched:
            self.poller.modify(connection.sock, events, connection)
        else:
            self.poller.register(connection.sock, events, connection)
        connection.watched = events

    def _guarded(self, connection: Connection, act: Any, *args: Any) -> None:
        """One connection's trouble is nobody else's."""
        try:
            act(connection, *args)
        except OSError:
            self._drop(connection)
        except Exception as error:
            self._fail(connection, error)

    def _fail(self, connection: Connection, error: Exception) -> None:
        if connection.stage is Stage.SENDING:
            self.log.exception("An answer broke off")
            self._drop(connection)
            return
        self.handle_error(None, connection.outbox, connection.client, error)
        self._guarded(connection, self._linger)

    # ── Requests ─────────────────────────────────────────────────────────────────────────────────
    def _on_event(self, connection: Connection) -> None:
        if connection.stage is Stage.SENDING:
            self._send(connection)
        elif not connection.receive():
            self._drop(connection)
        elif connection.stage is Stage.LINGERING:
            connection.inbox.clear()
        else:
            self._go_on(connection)

    def _go_on(self, connection: Connection) -> None:
        """As far as what has come allows."""
        if connection.stage is Stage.IDLE and connection.inbox:
            connection.enter(Stage.HEAD, HEAD_SECONDS)
        if connection.stage is Stage.HEAD:
            if connection.has_head():
                connection.parse_head(self.cfg)
                self._on_head(connection)
            elif len(connection.inbox) > HEAD_MAX_BYTES:
                self._refuse(connection, 431, "Request Header Fields Too Large", "The headers are too long.")
        if connection.stage is Stage.BODY and connection.has_body():
            self._hand_over(connection)

    def _on_head(self, connection: Connection) -> None:
        request = connection.request
        if not isinstance(request.body.reader, LengthReader):
            self._refuse(connection, 411, "Length Required", "A body must come with its length.")
        elif request.method == "POST" and request.path in self.upload_paths:
            self._hand_over(connection)
        elif request.body.reader.length > self.body_max_bytes:
            self._refuse(connection, 413, "Content Too Large", "Only the upload form takes so much at once.")
        else:
            self._expect_body(connection)

    def _expect_body(self, connection: Connection) -> None:
        if connection.request._expected_100_continue:
            connection.request._expected_100_continue = False
            connection.outbox.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.enter(Stage.BODY, BODY_SECONDS)

    def _hand_over(self, connection: Connection) -> None:
        connection.hand_body()
        self._watch(connection, 0)
        connection.enter(Stage.WORKING, 0)
        self.ready.put(connection)

    def _refuse(self, connection: Connection, status: int, reason: str, sentence: str) -> None:
        util.write_error(connection.outbox, status, reason, sentence)
        self._linger(connection)

    # ── Answers ──────────────────────────────────────────────────────────────────────────────────
    def _work(self) -> None:
        """A thread: one whole request after another."""
        while True:
            connection = self.ready.get()
            try:
                self._answer(connection)
                self._give_back(connection, True)
            except OSError:
                self._give_back(connection, False)
            except BaseException as error:
                self._answer_fault(connection, error)

    def _answer(self, connection: Connection) -> None:
        response, environ = wsgi.create(
            connection.request, connection.outbox, connection.client, connection.server, self.cfg, Answer
        )
        environ["wsgi.multithread"] = True
        if not self.alive or connection.inbox:  # no browser pipelines; who does asks again (RFC 9112, 9.3.2)
            response.force_close()
        connection.response = response
        connection.answer(response, self.wsgi(environ, response.start_response))
        connection.pump()

    def _answer_fault(self, connection: Connection, error: BaseException) -> None:
        begun = connection.response is not None and connection.response.headers_sent
        if begun or not isinstance(error, Exception):
            self.log.exception("Error handling a request")
        else:
            self.handle_error(connection.request, connection.outbox, connection.client, error)
        with suppress(Exception):
            connection.end_answer()
        if connection.response is not None:
            connection.response.force_close()
        self._give_back(connection, not begun)

    def _give_back(self, connection: Connection, usable: bool) -> None:
        self.worked.put((connection, usable))
        with suppress(BlockingIOError):  # a full pipe wakes the loop as well
            os.write(self.PIPE[1], b"\0")

    def _take_back(self) -> None:
        with suppress(BlockingIOError):
            os.read(self.PIPE[0], 4096)
        for _ in range(self.worked.qsize()):  # no more: meanwhile others come back
            connection, usable = self.worked.get()
            if usable:
                connection.enter(Stage.SENDING, SILENT_SECONDS)
                self._guarded(connection, self._send)
            else:
                self._drop(connection)

    def _send(self, connection: Connection) -> None:
        before = len(connection.outbox)
        if not connection.pump(BLOCKS_AT_A_TIME):
            if len(connection.outbox) != before or not before:
                connection.enter(Stage.SENDING, SILENT_SECONDS)
            self._watch(connection, selectors.EVENT_WRITE)
        elif connection.response is None or connection.response.should_close():
            self._linger(connection)
        else:
            self._next_request(connection)

    def _next_request(self, connection: Connection) -> None:
        connection.inbox += connection.request.unreader.take_buffered()
        connection.request = connection.response = None
        connection.enter(Stage.IDLE, self.cfg.keepalive)
        self._watch(connection, selectors.EVENT_READ)
        self._go_on(connection)

    def _linger(self, connection: Connection) -> None:
        connection.outbox.flush()
        connection.sock.shutdown(socket.SHUT_WR)
        connection.enter(Stage.LINGERING, LINGER_SECONDS)
        connection.inbox.clear()
        self._watch(connection, selectors.EVENT_READ)
