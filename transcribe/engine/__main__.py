"""The engine process: `python -m transcribe.engine PARENT_PID`.

At most one runs on a machine. It inherits the lock's descriptor, so the lock is free exactly when it is gone.
No database, no Django, no secrets. It ends when its stdin closes, or with its parent.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
import time
import traceback
from typing import BinaryIO

from gate.core import manners
from transcribe.audio.pcm_format import SAMPLE_RATE
from transcribe.engine.errors import EngineError, RequestFailed
from transcribe.engine.openai_whisper import OpenaiWhisper
from transcribe.engine.protocol import Failed, Load, Message, Ready, Transcribe, Transcribed, decode, encode


def main() -> None:
    manners.end_with_parent(int(sys.argv[1]))
    manners.lower_priority()
    answers = _take_stdout()

    def say(message: Message) -> None:
        answers.write(encode(message))
        answers.flush()

    say(Ready(pid=os.getpid()))
    engine = OpenaiWhisper(say)
    requests = _read_requests()
    while True:
        say(_answer(engine, requests.get()))


def _read_requests() -> queue.SimpleQueue[bytes]:
    """Requests from stdin. Its end ends this process at once, also in the middle of a transcription."""
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        for line in sys.stdin.buffer:
            requests.put(line)
        os._exit(0)

    threading.Thread(target=read, daemon=True, name="requests").start()
    return requests


def _answer(engine: OpenaiWhisper, line: bytes) -> Message:
    try:
        request = decode(line)
        if isinstance(request, Load):
            loaded = engine.load(request)
            _tell(f"{request.path} was loaded in {loaded.load_seconds:.1f} s.")
            return loaded
        if isinstance(request, Transcribe):
            return _transcribe(engine, request)
        return Failed(message=f"unexpected {request.KIND}", permanent=True)
    except RequestFailed as error:
        return Failed(message=str(error), permanent=error.permanent)
    except EngineError as error:
        return Failed(message=str(error), permanent=True)
    except MemoryError:
        return Failed(message="The engine ran out of memory.", permanent=False)


def _transcribe(engine: OpenaiWhisper, request: Transcribe) -> Transcribed:
    _write_log_to(request.log_path)
    span = f"{request.start_sample / SAMPLE_RATE:.1f} s to {request.end_sample / SAMPLE_RATE:.1f} s"
    _tell(f"Reading {span} of the recording.")
    done = engine.transcribe(request)
    windows = f"{done.decoded_windows} windows decoded, {done.replayed_windows} taken over"
    _tell(f"Read {span}: {windows}; at most {done.peak_bytes / 1024**2:.0f} MiB of memory.")
    return done


def _tell(text: str) -> None:
    """A line for who follows the log, in local time."""
    with contextlib.suppress(OSError):  # a full disk: what cannot be told must not cost what was read
        print(time.strftime("%Y-%m-%d %H:%M:%S"), text, file=sys.stderr, flush=True)  # noqa: T201 - the attempt's log


def _write_log_to(path: str | None) -> None:
    """Let standard error, and whatever a library prints, go to this file; without one, or room for it, they stay."""
    if path is None:
        return
    try:
        sys.stdout.flush()
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except OSError as problem:  # the log is no reason not to read
        _tell(f"The log goes on here, because {path} cannot be opened ({problem.strerror}).")
        return
    os.dup2(descriptor, 2)
    os.dup2(descriptor, 1)
    os.close(descriptor)


def _take_stdout() -> BinaryIO:
    """Keep the real stdout for answers; whatever a library prints goes to the log."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


if __name__ == "__main__":
    try:
        main()
    except BaseException:  # a fault of ours: its trace goes to the log, and no thread may hold up the end
        traceback.print_exc()
        os._exit(os.EX_SOFTWARE)
