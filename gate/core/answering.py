"""Ask what may never answer: the driver of a sensor whose bus hangs keeps its reader for ever."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

__all__ = ["Answering", "NoAnswer"]

LIMIT_SECONDS = 5.0  # all keys of an Apple SMC answer within one
_T = TypeVar("_T")


class NoAnswer(Exception):
    """`seconds`: since the question that hangs was asked."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer for {seconds:.0f} s")
        self.seconds = seconds


@dataclass(kw_only=True)
class _Question:
    ask: Callable[[], Any]
    asked_at_seconds: float
    answered: threading.Event = field(default_factory=threading.Event)
    answer: Any = None
    error: Exception | None = None


class Answering:
    """Asks in a thread of its own, which stays with a question that hangs; until that answers no other is asked.

    For one asker at a time. After a fork the child has a thread of its own; where none can be started it asks itself.
    """

    def __init__(self, limit_seconds: float = LIMIT_SECONDS) -> None:
        self._limit_seconds = limit_seconds
        self._pid = 0
        self._questions: queue.SimpleQueue[_Question] = queue.SimpleQueue()
        self._hanging: _Question | None = None

    def ask(self, what: Callable[[], _T]) -> _T:
        """Its answer or its error. Raises NoAnswer after the limit, and at once while an earlier question hangs."""
        if not self._is_there():
            return what()
        now = time.monotonic()
        if self._hanging is not None and not self._hanging.answered.is_set():
            raise NoAnswer(now - self._hanging.asked_at_seconds)
        question = _Question(ask=what, asked_at_seconds=now)
        self._questions.put(question)
        if not question.answered.wait(self._limit_seconds):
            self._hanging = question
            raise NoAnswer(self._limit_seconds)
        if question.error is not None:
            raise question.error
        answer: _T = question.answer
        return answer

    def _is_there(self) -> bool:
        if self._pid != os.getpid():
            self._questions, self._hanging = queue.SimpleQueue(), None
            try:
                threading.Thread(target=_answer, args=(self._questions,), daemon=True, name="answering").start()
            except RuntimeError:
                return False
            self._pid = os.getpid()
        return True


def _answer(questions: queue.SimpleQueue[_Question]) -> None:
    while True:
        question = questions.get()
        try:
            question.answer = question.ask()
        except Exception as error:
            question.error = error
        question.answered.set()
