"""A row of the queue's table only rings: what lies in it is never unpickled and never run."""

from __future__ import annotations

import pytest
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from transcribe.services.wake import queue_wake

pytestmark = pytest.mark.django_db


def taken() -> list[dict[str, object]]:
    return [SignedPackage.loads(payload) for _, payload in get_broker().dequeue() or []]


@pytest.mark.parametrize("ring", [queue_wake, lambda: async_task("os.system", "true", hook="os.abort")])
def test_it_hands_out_a_wake_up_whatever_was_queued(ring: object) -> None:
    assert callable(ring)
    ring()
    (task,) = taken()
    assert (task["func"], task["args"], task["kwargs"]) == ("transcribe.tasks.wake", (), {})
    assert not {"hook", "chain", "iter_count", "cached"} & task.keys()


def test_it_does_not_read_what_lies_in_a_row() -> None:
    OrmQ.objects.create(key=Conf.CLUSTER_NAME, payload="no package at all", lock=timezone.now())
    assert [task["func"] for task in taken()] == ["transcribe.tasks.wake"]


def test_it_schedules_nothing() -> None:
    assert Conf.SCHEDULER is False
