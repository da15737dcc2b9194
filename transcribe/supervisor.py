"""The engine as a child process: started at the lock's descriptor, asked, watched, and proven gone."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from transcribe.engine.errors import ProtocolError
from transcribe.engine.protocol import Failed, Load, Loaded, Message, Transcribe, Transcribed, decode, encode
from transcribe.engine_logs import log_cap
from transcribe.errors import EngineFailed, EngineLost

WATCH_SECONDS = 1.0  # how often `watch` is called while the engine works
END_GRACE_SECONDS = 5.0
TAIL_BYTES = 4096
# The engine gets what a program needs to run, and no secret.
ENVIRONMENT_NAMES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "PYTHONWARNINGS")
ENVIRONMENT_PREFIXES = ("OPENBLAS_", "MKL_", "OMP_", "KMP_", "LD_")


class EngineProcess:
    """One engine process in a session and process group of its own.

    `lock_descriptor` is inherited: the lock stays taken until the last process of the group is gone.
    """

    def __init__(self, *, lock_descriptor: int, log_path: Path) -> None:
        self.log_path = log_path
        self._log_offset = log_path.stat().st_size if log_path.exists() else 0
        self._buffer = b""
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(
                # j5a: allow J5A001 because slot.py holds the lock and asked the gate before it makes this object
                [sys.executable, "-m", "transcribe.engine", str(os.getpid())],
                cwd=settings.BASE_DIR,
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=(lock_descriptor,),
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._stdout, selectors.EVENT_READ)

    def load(self, request: Load, *, watch: Callable[[], None]) -> Loaded:
        answer = self._ask(request, on_message=lambda _: None, watch=watch)
        if not isinstance(answer, Loaded):
            raise ProtocolError(f"the engine answered {answer.KIND} to load")
        return answer

    def transcribe(
        self, request: Transcribe, *, on_message: Callable[[Message], None], watch: Callable[[], None]
    ) -> Transcribed:
        answer = self._ask(request, on_message=on_message, watch=watch)
        if not isinstance(answer, Transcribed):
            raise ProtocolError(f"the engine answered {answer.KIND} to transcribe")
        return answer

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> int | None:
        """End the process: first by closing its input, then by force. Returns its exit code."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_GRACE_SECONDS)
        return self.kill()

    def kill(self) -> int | None:
        """Kill the whole process group and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        code = self._process.wait()
        self._selector.close()
        with contextlib.suppress(OSError):
            self._stdin.close()
        self._stdout.close()
        return code

    def output_tail(self) -> str:
        """The last lines this process wrote to its log."""
        try:
            with self.log_path.open("rb") as log:
                size = log.seek(0, os.SEEK_END)
                log.seek(max(min(self._log_offset, size), size - TAIL_BYTES))
                return log.read().decode(errors="replace").strip()
        except OSError:  # removed by somebody: the job does not hang on its log
            return ""

    def _ask(self, request: Message, *, on_message: Callable[[Message], None], watch: Callable[[], None]) -> Message:
        """Send a request and read to its last answer. Whatever `watch` raises ends the wait and goes up.

        Raises:
            EngineFailed: the engine said why it cannot.
            EngineLost: it ended, or said nothing for `settings.ENGINE_HUNG_SECONDS`.
        """
        try:
            self._stdin.write(encode(request))
            self._stdin.flush()
        except OSError:
            raise self._lost() from None
        heard_at = time.monotonic()
        while True:
            watch()
            log_cap(self.log_path)
            for message in self._read():
                heard_at = time.monotonic()
                if isinstance(message, Failed):
                    raise EngineFailed(message.message, permanent=message.permanent)
                if isinstance(message, Loaded | Transcribed):
                    return message
                on_message(message)
            if time.monotonic() - heard_at > settings.ENGINE_HUNG_SECONDS:
                self.kill()
                raise EngineLost(
                    f"The engine said nothing for {settings.ENGINE_HUNG_SECONDS} s (J5A_ENGINE_HUNG_SECONDS) "
                    "and was ended as hung.",
                    exit_code=None,
                    output_tail=self.output_tail(),
                )

    def _read(self) -> list[Message]:
        """The messages that arrive within `WATCH_SECONDS`."""
        if not self._selector.select(WATCH_SECONDS):
            return []
        data = os.read(self._stdout.fileno(), 1 << 16)
        if not data:
            raise self._lost()
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return [decode(line) for line in lines]

    def _lost(self) -> EngineLost:
        code = self.kill()
        return EngineLost(describe_exit(code), exit_code=code, output_tail=self.output_tail())

    @property
    def _stdin(self):  # type: ignore[no-untyped-def]
        assert self._process.stdin is not None  # noqa: S101 - we asked for a pipe
        return self._process.stdin

    @property
    def _stdout(self):  # type: ignore[no-untyped-def]
        assert self._process.stdout is not None  # noqa: S101
        return self._process.stdout


def describe_exit(code: int | None) -> str:
    """An exit code in words."""
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = " The kernel does this when memory runs out." if -code == signal.SIGKILL else ""
        return f"The engine was killed by signal {-code} ({name}).{hint}"
    return f"The engine ended by itself with exit code {code}; its last lines are in the attempt's log."


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in ENVIRONMENT_NAMES or name.startswith(ENVIRONMENT_PREFIXES)
    }
