"""The engine process: `python -m transcribe.engine PARENT_PID`.

At most one runs on a machine. It inherits the lock's descriptor, so the lock is free exactly when it is gone.
No database, no Django, no secrets. It ends when its stdin closes, or with its parent.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import traceback
from typing import BinaryIO

from gate.core import manners
from transcribe.engine.errors import EngineError, RequestFailed
from transcribe.engine.openai_whisper import OpenaiWhisper
from transcribe.engine.protocol import Failed, Load, Message, Ready, Transcribe, decode, encode


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
            return engine.load(request)
        if isinstance(request, Transcribe):
            return engine.transcribe(request)
        return Failed(message=f"unexpected {request.KIND}", permanent=True)
    except RequestFailed as error:
        return Failed(message=str(error), permanent=error.permanent)
    except EngineError as error:
        return Failed(message=str(error), permanent=True)
    except MemoryError:
        return Failed(message="The engine ran out of memory.", permanent=False)


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
