"""Wake-ups: the Job table is the truth, a django-q2 task only says "look at it"."""

from __future__ import annotations

from django_q.models import OrmQ
from django_q.tasks import async_task

from transcribe.services.claims import jobs_due, jobs_recover_commands

WAKE_TASK = "transcribe.tasks.wake"


def queue_wake() -> None:
    """Enqueue a wake-up; inside a transaction it is committed, or rolled back, with it."""
    async_task(WAKE_TASK, group="wake")


def queue_sweep() -> bool:
    """Wake the queue when a job is due and no wake-up is on its way. Returns whether it did.

    Called by the sampler every few seconds: this is how a blocked job starts by itself, and how a lost wake-up is
    made good.
    """
    jobs_recover_commands()
    if not jobs_due().exists() or OrmQ.objects.exists():
        return False
    queue_wake()
    return True
