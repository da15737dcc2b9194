"""Ask what may never answer: the driver of a sensor whose bus hangs keeps its reader for ever."""

from __future__ import annotations

import os
import queue
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

__all__ = ["Answering", "NoAnswer"]

LIMIT_SECONDS = 5.0  # all keys of an Apple SMC answer within one
_LATE_LIMITS = 4  # an answer that took more of them tells of another time
_LAST_PART = 0.2  # of the limit: who waits for one file all through it hangs there
_T = TypeVar("_T")


class NoAnswer(Exception):
    """`seconds`: since the question that hangs was asked. `path`: the file that it waited for at two looks in a row, so
    that one of many slow ones is not taken for it; empty where nothing tells.
    """

    def __init__(self, seconds: float, path: str) -> None:
        super().__init__(f"no answer for {seconds:.0f} s")
        self.seconds = seconds
        self.path = path


@dataclass(kw_only=True)
class _Question:
    ask: Callable[[], Any]
    asked_at_seconds: float
    answered: threading.Event = field(default_factory=threading.Event)
    thread_id: int = 0  # of the kernel; 0 before it is asked
    path: str = ""  # where it waited at the last look
    answer: Any = None
    error: Exception | None = None


class Answering:
    """Asks in a thread of its own, which stays with a question that hangs; until that answers no other is asked.

    For one asker at a time. After a fork the child has a thread of its own; where none can be started it asks itself.
    The thread ends with this object, unless it hangs.
    """

    def __init__(self, limit_seconds: float = LIMIT_SECONDS) -> None:
        self._limit_seconds = limit_seconds
        self._pid = 0
        self._questions: queue.SimpleQueue[_Question | None] = queue.SimpleQueue()
        self._hanging: _Question | None = None

    def ask(self, what: Callable[[], _T]) -> _T:
        """Its answer or its error. Raises NoAnswer after the limit, and at once while an earlier question hangs.

        The late answer to the very same question counts: what is merely slow must not look as if it never answered.
        """
        if not self._is_there():
            return what()
        question = self._late(what) or self._put(what)
        if question.error is not None:
            raise question.error
        answer: _T = question.answer
        return answer

    def _late(self, what: Callable[[], Any]) -> _Question | None:
        late = self._hanging
        if late is None:
            return None
        waited_seconds = time.monotonic() - late.asked_at_seconds
        if not late.answered.is_set():
            raise NoAnswer(waited_seconds, _hangs_at(late))
        self._hanging = None
        counts = late.ask is what and waited_seconds <= _LATE_LIMITS * self._limit_seconds
        return late if counts else None

    def _put(self, what: Callable[[], Any]) -> _Question:
        question = _Question(ask=what, asked_at_seconds=time.monotonic())
        self._questions.put(question)
        if question.answered.wait((1 - _LAST_PART) * self._limit_seconds):
            return question
        _hangs_at(question)
        if question.answered.wait(_LAST_PART * self._limit_seconds):
            return question
        self._hanging = question
        raise NoAnswer(self._limit_seconds, _hangs_at(question))

    def _is_there(self) -> bool:
        if self._pid != os.getpid():
            self._questions, self._hanging = queue.SimpleQueue(), None
            try:
                threading.Thread(target=_answer, args=(self._questions,), daemon=True, name="answering").start()
            except RuntimeError:
                return False
            self._pid = os.getpid()
            weakref.finalize(self, self._questions.put, None).atexit = False
        return True


def _answer(questions: queue.SimpleQueue[_Question | None]) -> None:
    while (question := questions.get()) is not None:
        question.thread_id = threading.get_native_id()
        try:
            question.answer = question.ask()
        except Exception as error:
            question.error = error
        question.answered.set()


def _hangs_at(question: _Question) -> str:
    """The file that it waits for, if it is that of the look before."""
    before, question.path = question.path, _file_read_by(question.thread_id)
    return question.path if question.path == before else ""


def _file_read_by(thread_id: int) -> str:
    """From the kernel's word on where a thread of ours waits: the first argument of `read` is its file (proc(5))."""
    try:
        descriptor = int(Path(f"/proc/self/task/{thread_id}/syscall").read_text().split()[1], 16)
        path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
    except (OSError, ValueError, IndexError):  # no Linux, it has gone on, or it waits for something else
        return ""
    return path if path.startswith("/") else ""
