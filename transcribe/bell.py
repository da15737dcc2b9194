"""django-q2's table as a bell: a row says "look at the jobs", and nothing that lies in it is read.

django-q2 would unpickle a row's payload and run the function that it names. The Job table is the truth, so a fresh
wake-up is handed out for each row instead.
"""

from __future__ import annotations

from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.humanhash import uuid
from django_q.signing import SignedPackage

__all__ = ["WAKE_TASK", "Bell"]

WAKE_TASK = "transcribe.tasks.wake"


class Bell(ORM):  # type: ignore[misc]
    def dequeue(self) -> list[tuple[int, str]]:
        return [(row, _wake_up()) for row, _ in super().dequeue() or ()]


def _wake_up() -> str:
    name, identity = uuid()
    task = {"id": identity, "name": name, "func": WAKE_TASK, "args": (), "kwargs": {}, "group": "wake"}
    return str(SignedPackage.dumps({**task, "ack_failure": True, "started": timezone.now()}))
