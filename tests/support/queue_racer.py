"""`queue_racer.py claim|place|hold|pause SEED`: one process that works on the queue until no job is left.

Prints one JSON line for each thing that it did. Started by test_queue_races.py, several at once on one database.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ["DJANGO_SETTINGS_MODULE"] = "j5a_admin.settings"

import django

django.setup()

from django.utils import timezone  # noqa: E402

from transcribe.models import Job  # noqa: E402
from transcribe.services import Place, job_hold, job_place, job_release, queue_pause, queue_resume  # noqa: E402
from transcribe.services.claims import job_claim  # noqa: E402
from transcribe.states import WAITING, JobStatus  # noqa: E402

LIMIT_SECONDS = 120.0
BREATH_SECONDS = 0.005


def say(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


def waiting() -> list[Job]:
    return list(Job.objects.filter(status__in=WAITING))


def claim() -> None:
    job = job_claim()
    if job is not None:
        say(claimed=job.pk)
        assert job.move(JobStatus.SUCCEEDED, finished_at=timezone.now())
    time.sleep(10 * BREATH_SECONDS)  # leaves the database to the others: SQLite gives no one a turn


def place(chance: random.Random) -> None:
    jobs = waiting()
    if jobs and job_place(job := chance.choice(jobs), Place.FIRST):
        say(placed=job.pk, at=timezone.now().timestamp())


def hold(chance: random.Random) -> None:
    jobs = waiting()
    if not jobs:
        return
    job = chance.choice(jobs)
    if job_hold(job, None):
        say(held=job.pk)
        time.sleep(BREATH_SECONDS)
        job_release(job, None)


def pause() -> None:
    if queue_pause(who="racer", why="", stops_running=False):
        say(paused=True)
        time.sleep(10 * BREATH_SECONDS)
    queue_resume(who="racer")
    time.sleep(10 * BREATH_SECONDS)


def main() -> None:
    role, chance = sys.argv[1], random.Random(int(sys.argv[2]))
    say(ready=True)
    sys.stdin.readline()  # all begin together
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline and Job.objects.exclude(status=JobStatus.SUCCEEDED).exists():
        if role == "claim":
            claim()
        elif role == "place":
            place(chance)
        elif role == "hold":
            hold(chance)
        else:
            pause()
        time.sleep(BREATH_SECONDS)


main()
