"""A real engine process, asked as the worker asks it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.support.panel import BASE_DIR
from tests.support.speech_files import DEMO_DIR
from transcribe.engine.protocol import (
    Failed,
    Load,
    Loaded,
    Message,
    Progress,
    Ready,
    Transcribe,
    Transcribed,
    decode,
    encode,
)

LIMIT_SECONDS = 300.0  # for one answer; on a quiet machine the slowest takes 5
DEMO_MODEL = DEMO_DIR / "demo.pt"
GREEDY: dict[str, Any] = {"beam_size": None, "best_of": None}


class Engine:
    """Use it within `running_engine`. `last`: the newest progress of the request in hand."""

    def __init__(self, log_path: Path, wrapped_in: Sequence[str]) -> None:
        self._log_path = log_path
        with log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [*wrapped_in, sys.executable, "-m", "transcribe.engine", str(os.getpid())],
                cwd=BASE_DIR,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self.pid = self._process.pid
        self.last = Progress(done_seconds=0.0)

    def load(self, model: Path = DEMO_MODEL, threads: int = 1) -> None:
        """One thread: the suite runs on machines with few."""
        self._send(Load(path=str(model), name="", threads=threads, sha256="c" * 64))
        answer = self._read_until(lambda message: isinstance(message, Loaded))
        assert isinstance(answer, Loaded), answer

    def transcribe(self, request: Transcribe) -> Transcribed:
        self._send(request)
        answer = self._read_until(lambda _: False)
        assert isinstance(answer, Transcribed), answer
        return answer

    def refusal(self, request: Transcribe) -> Failed:
        self._send(request)
        answer = self._read_until(lambda _: False)
        assert isinstance(answer, Failed), answer
        return answer

    def transcribe_and_be_killed(self, request: Transcribe, *, after_windows: int) -> int:
        """kill -9 when so many windows are told as decoded; how many had been told when it was gone."""
        self._send(request)
        self._read_until(lambda _: self.last.decoded_windows >= after_windows)
        self._process.kill()
        assert self._process.stdout is not None
        told = self._process.stdout.read().splitlines(keepends=True)
        messages = [decode(line) for line in told if line.endswith(b"\n")]
        assert not any(isinstance(message, Transcribed) for message in messages), "it was ready before it was killed"
        return max(m.decoded_windows for m in [self.last, *messages] if isinstance(m, Progress))

    def log(self) -> str:
        return self._log_path.read_text(errors="replace")

    def end(self) -> None:
        self._process.kill()
        self._process.wait(LIMIT_SECONDS)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(OSError):
                pipe.close()

    def _send(self, request: Message) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(encode(request))
        self._process.stdin.flush()

    def _read_until(self, is_enough: Callable[[Message], bool]) -> Message:
        """The first message that is enough, or the last answer."""
        assert self._process.stdout is not None
        watchdog = threading.Timer(LIMIT_SECONDS, self._process.kill)
        watchdog.start()
        try:
            for line in self._process.stdout:
                message = decode(line)
                if isinstance(message, Progress):
                    self.last = message
                if is_enough(message) or isinstance(message, Transcribed | Failed):
                    return message
        finally:
            watchdog.cancel()
        raise AssertionError(f"the engine ended, or took more than {LIMIT_SECONDS:g} s; its log:\n{self.log()}")


@contextlib.contextmanager
def running_engine(
    log_path: Path, *, wrapped_in: Sequence[str] = (), model: Path = DEMO_MODEL, threads: int = 1
) -> Iterator[Engine]:
    """An engine with a model loaded. `wrapped_in`: a command that ends by becoming the words behind it."""
    engine = Engine(log_path, wrapped_in)
    try:
        engine._read_until(lambda message: isinstance(message, Ready))
        engine.load(model, threads)
        yield engine
    finally:
        engine.end()


def request_for(recording: Path, **changes: Any) -> Transcribe:
    """The whole of a file of samples, greedily and in English."""
    facts: dict[str, Any] = {
        "pcm_path": str(recording),
        "start_sample": 0,
        "end_sample": recording.stat().st_size // 2,
        "language": "en",
        "options": GREEDY,
        "temperatures": [0.0],
        "provenance": "a" * 64,
    }
    return Transcribe(**{**facts, **changes})


def threads_of(pid: int) -> list[int]:
    """As the kernel counts them, those that wait included."""
    return [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]


def manners_of(pid: int) -> dict[int, tuple[int, str]]:
    """Nice value and I/O class of each of its threads."""
    return {thread: (os.getpriority(os.PRIO_PROCESS, thread), _io_class(thread)) for thread in threads_of(pid)}


def _io_class(thread: int) -> str:
    asked = subprocess.run(["ionice", "-p", str(thread)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert asked.returncode == 0, asked.stderr
    return asked.stdout.strip()
