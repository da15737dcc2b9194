"""When the queue stands still: the same wake-up is seen to wait for a minute, and no job runs."""

from __future__ import annotations

import signal
import subprocess

import pytest
from django_q.models import OrmQ

from tests.support.hot_machine import state_of
from tests.support.jobs import make_job
from tests.support.panel import until
from transcribe.models import Job
from transcribe.services.claims import job_claim
from transcribe.services.wake import queue_wake
from transcribe.states import JobStatus
from transcribe.stuck_watch import GAP_SECONDS, LOOK_SECONDS, STOPPED_SECONDS, STUCK_SECONDS, StuckWatch

pytestmark = pytest.mark.django_db(transaction=True)  # it closes its connections


class Watch:
    """Looks on a clock of its own, which starts where that of a machine that has just been started does."""

    def __init__(self) -> None:
        self.now = 0.0
        self._watch = StuckWatch(lambda: self.now)

    def at(self, seconds: float) -> bool:
        self.now = seconds
        return self._watch.trouble() != ""

    def during(self, begin: float, end: float) -> list[bool]:
        """One look at a time, the last one just before the end."""
        return [self.at(begin + number * LOOK_SECONDS) for number in range(int((end - begin) / LOOK_SECONDS))]


def test_it_is_when_the_same_wake_up_waits_for_so_long() -> None:
    queue_wake()
    watch = Watch()
    assert not any(watch.during(0, STUCK_SECONDS))
    assert watch.at(STUCK_SECONDS)


def test_it_is_not_when_another_one_waits() -> None:
    queue_wake()
    watch = Watch()
    assert not any(watch.during(0, STUCK_SECONDS))
    OrmQ.objects.all().delete()
    queue_wake()
    assert not any(watch.during(STUCK_SECONDS, 2 * STUCK_SECONDS))
    assert watch.at(2 * STUCK_SECONDS)


def test_it_is_not_while_a_job_runs_nor_soon_after() -> None:
    make_job()
    assert job_claim() is not None
    queue_wake()
    watch = Watch()
    assert not any(watch.during(0, 10 * STUCK_SECONDS))
    Job.objects.update(status=JobStatus.SUCCEEDED)
    assert not any(watch.during(10 * STUCK_SECONDS, 11 * STUCK_SECONDS))
    assert watch.at(11 * STUCK_SECONDS)


def test_it_is_not_when_nobody_looked_in_between() -> None:
    """A container that was stopped for an hour: the queue stood still with who watches it."""
    queue_wake()
    watch = Watch()
    assert not watch.at(0)
    assert not any(watch.during(3600, 3600 + STUCK_SECONDS))
    assert watch.at(3600 + STUCK_SECONDS)


def test_a_look_that_comes_a_little_late_changes_nothing() -> None:
    queue_wake()
    watch = Watch()
    assert not any(watch.at(seconds) for seconds in (0, GAP_SECONDS, 2 * GAP_SECONDS, 3 * GAP_SECONDS))
    assert watch.at(4 * GAP_SECONDS)


def test_it_is_when_a_process_of_it_is_stopped_for_so_long() -> None:
    ours = subprocess.Popen(["sleep", "300"])
    apart = subprocess.Popen(["sleep", "300"], start_new_session=True)  # as an engine is, which is stopped for heat
    try:
        for child in (apart, ours):
            watch = Watch()
            assert not any(watch.during(0, STOPPED_SECONDS))
            child.send_signal(signal.SIGSTOP)
            until(lambda: state_of(child.pid) == "T", seconds=10, what="it is stopped")  # noqa: B023
            assert not any(watch.during(STOPPED_SECONDS, 2 * STOPPED_SECONDS))
            assert watch.at(2 * STOPPED_SECONDS) is (child is ours)
    finally:
        for child in (apart, ours):
            child.kill()
            child.wait()
