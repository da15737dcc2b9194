"""The single-worker django-q2 cluster, hardened. Why, with measurements: docs/architecture.md.

- One cluster on a data directory: an inherited flock makes a second one wait until the last old process is gone.
- No orphans: every process of the tree is killed with its parent.
- A stop that hangs ends after a limit, also when nobody is left to enforce it.
- A sudden death of worker, monitor or pusher ends the cluster (stock django-q2 may go on deadlocked); the supervisor
  starts it anew. So does a queue that stands still although all live, and a process of it that somebody stopped.
- At start: tasks that an old cluster had taken are unlocked, and a wake-up is enqueued when jobs wait.
"""

from __future__ import annotations

import fcntl
import logging
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections
from django.utils import timezone
from django_q import cluster as q_cluster
from django_q.conf import Conf
from django_q.models import OrmQ

from gate.core.manners import end_with_parent
from transcribe.models import Job
from transcribe.services.claims import jobs_due, jobs_recover_worker
from transcribe.services.wake import queue_wake
from transcribe.stuck_watch import StuckWatch

logger = logging.getLogger(__name__)

RECYCLED = -2  # django_q.worker: the worker ended by its own wish
TIMED_OUT = 0
DATABASE_RETRY_SECONDS = 2.0
# Longer than `manage.py up` waits (12 s): it ends what hangs while it lives, this ends it when `up` was killed, too.
STOP_LIMIT_SECONDS = 14.0

# Set by the master before it asks the cluster to stop; the worker, forked from it, sees it.
_stopping = multiprocessing.get_context("fork").Event()


class WorkerControl:
    """How a run inside the cluster learns that the service is being stopped."""

    def stopping(self) -> bool:
        return _stopping.is_set()

    def progress(self, job: Job) -> None:
        return None


class StrictSentinel(q_cluster.Sentinel):  # type: ignore[misc]
    """A sentinel that does not go on after a sudden death which leaves the queues locked."""

    def reincarnate(self, process: Any) -> None:
        if self._ended_in_order(process):
            super().reincarnate(process)
            return
        logger.critical("a process of the cluster died suddenly; the cluster ends and is started anew")
        os.kill(os.getppid(), signal.SIGKILL)
        os._exit(1)

    def _ended_in_order(self, process: Any) -> bool:
        """Whoever was killed may have held a lock of the queues; the pusher takes one while it hands a task over."""
        if process is self.pusher:
            return bool(process.exitcode == 0)  # it gives up by itself when the database does not answer
        timer = getattr(process, "timer", None)
        return process is not self.monitor and timer is not None and int(timer.value) in {RECYCLED, TIMED_OUT}


def cluster_lock(path: Path, *, on_wait: Callable[[], None]) -> int:
    """Hold `path` for this process and all it forks; waits until the last process of an older cluster is gone."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    os.set_inheritable(descriptor, True)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        on_wait()
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def cluster_run() -> None:
    """Run the cluster until SIGTERM or SIGINT. Hold the cluster lock first."""
    q_cluster.Sentinel = StrictSentinel
    lineage = _Lineage()
    os.register_at_fork(before=lineage.before_fork, after_in_child=lineage.after_in_child)
    stop = _StopSignal()
    stop.listen()
    _recover(stop)
    connections.close_all()  # a connection must not be shared across a fork
    if stop.has_come():
        return
    stop.cluster = q_cluster.Cluster()
    stop.listen()  # again: the cluster has put its own handlers in place
    stop.cluster.start()
    if stop.has_come():
        stop.cluster.stop()
    stuck = StuckWatch()
    while stop.cluster.sentinel.is_alive():
        time.sleep(0.2)
        if not stop.has_come() and (trouble := stuck.trouble()):
            logger.critical("%s; it is started anew", trouble)
            _trouble_keep(trouble)
            os._exit(1)  # the others die with this process; an orderly end would wait for them
    if not stop.has_come():
        sys.exit("The cluster ended by itself; the supervisor starts it anew.")


class _StopSignal:
    """The handler of SIGTERM and SIGINT. Asked instead of the event, whose lock a handler could meet half-taken.

    django-q2 stops by locks that a killed process may have left taken. So a stop has a limit, set with the kernel:
    an alarm that nothing handles ends this process wherever it hangs, and all the others die with it.
    """

    def __init__(self) -> None:
        self._came = False
        self.cluster: Any = None

    def has_come(self) -> bool:
        return self._came

    def listen(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self)

    def __call__(self, *_: object) -> None:
        if not self._came:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, STOP_LIMIT_SECONDS)
        self._came = True
        _stopping.set()
        if self.cluster is not None and self.cluster.sentinel is not None and self.cluster.stop_event is not None:
            self.cluster.stop()


class _Lineage:
    """In every forked process: die with the one that forked it."""

    def __init__(self) -> None:
        self._forker = 0

    def before_fork(self) -> None:
        self._forker = os.getpid()

    def after_in_child(self) -> None:
        end_with_parent(self._forker)


def _recover(stop: _StopSignal) -> None:
    """Put right what an earlier cluster left; waits for a database that cannot be used (full disk, locked)."""
    told = ""
    while not stop.has_come():
        try:
            _recover_once()
        except DatabaseError as problem:
            if str(problem) != told:
                told = str(problem)
                logger.error("the database cannot be used (%s); trying again every %g s", told, DATABASE_RETRY_SECONDS)
            connections.close_all()
            time.sleep(DATABASE_RETRY_SECONDS)
        else:
            return


def _recover_once() -> None:
    OrmQ.objects.filter(key=Conf.PREFIX).update(lock=timezone.now())
    jobs_recover_worker(_trouble_kept())
    _trouble_path().unlink(missing_ok=True)
    if jobs_due().exists():
        queue_wake()


def _trouble_path() -> Path:
    return Path(settings.DATA_DIR) / "worker_trouble"


def _trouble_keep(trouble: str) -> None:
    """For the next cluster, which tells of the job that this one leaves behind."""
    with suppress(OSError):
        _trouble_path().write_text(f"{trouble[:1].upper()}{trouble[1:]}, so the queue was started anew.", "utf-8")


def _trouble_kept() -> str:
    try:
        return _trouble_path().read_text("utf-8", "replace")[:1000]
    except OSError:
        return ""
