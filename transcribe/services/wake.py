"""Wake-ups: the Job table is the truth, a django-q2 task only says "look at it"."""

from __future__ import annotations

from django_q.models import OrmQ
from django_q.tasks import async_task

from transcribe.bell import WAKE_TASK
from transcribe.services.claims import jobs_due, jobs_recover_commands, jobs_running_here


def queue_wake() -> None:
    """Enqueue a wake-up; inside a transaction it is committed, or rolled back, with it."""
    async_task(WAKE_TASK, group="wake")


def queue_sweep() -> bool:
    """Wake the queue when a job is due, or runs in no hands, and no wake-up is on its way. Returns whether it did.

    Called by the sampler every few seconds: this is how a blocked job starts by itself, and how a lost wake-up is
    made good. A wake-up stays in its table until its run has ended: without one, a job that is *running* was left so
    (a database that was locked for long), and the next run takes it back.
    """
    jobs_recover_commands()
    if OrmQ.objects.exists() or not (jobs_due().exists() or jobs_running_here().exists()):
        return False
    queue_wake()
    return True
