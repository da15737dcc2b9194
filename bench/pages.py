"""What pages cost in a large database: time, queries and size, by Django's own test client."""

from __future__ import annotations

import html
import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.report import Row, Section
from tests.support.panel import BASE_DIR

ROUNDS = 7
_POLLED = re.compile(r'hx-get="([^"]+)"')
MOST_QUERIES, MOST_MS = 20, 200
HOW = """\
20 000 jobs (300 wait, 100 are held, one runs), 500 000 segments, 1 000 000 sensor samples and 5 000 incidents; each
page is asked seven times in a process of its own, without a network. Median time, queries, and the answer's size."""


def section(folder: Path) -> Section:
    """Fills a database in a data directory of its own and asks it, in a process of its own."""
    environment = os.environ | {"J5A_DATA_DIR": str(folder / "large"), "J5A_LOCK_DIR": str(folder / "large-locks")}
    command = [sys.executable, "-m", "bench.pages"]
    done = subprocess.run(command, cwd=BASE_DIR, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    rows = [_row(*found) for found in json.loads(done.stdout.splitlines()[-1])]
    return Section(title="Pages with 20 000 jobs", how=HOW, rows=rows)


def _row(what: str, status: int, ms: float, queries: int, kib: float) -> Row:
    told = f"{ms:.0f} ms, {queries} queries, {kib:.1f} KiB" + (
        f", answered {status}" if status not in (200, 204) else ""
    )
    goal = f"{MOST_MS} ms, {MOST_QUERIES} queries"
    return Row(what=what, measured=told, goal=goal, met=ms <= MOST_MS and queries <= MOST_QUERIES)


def measure() -> list[tuple[str, int, float, int, float]]:
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client

    from bench.large_database import fill

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    job_id = fill()
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("bench"))
    return [_measured(client, what, address) for what, address in _addresses(job_id).items()]


def _addresses(job_id: int) -> dict[str, str]:
    return {
        "home": "/", "home, poll": "/live/", "jobs": "/jobs/", "jobs, poll": "/jobs/live/",
        "job of 5 000 segments": f"/jobs/{job_id}/", "the same, poll": f"/jobs/{job_id}/live/",
        "queue": "/jobs/queue/", "queue, poll": "/jobs/queue/live/", "gate": "/gate/", "gate, poll": "/gate/live/",
        "lock": "/lock/", "report": "/report/", "a year of sensors": "/sensors/history/?span=year",
        "incidents": "/incidents/", "samples in the records": "/admin/gate/sensorsample/",
    }  # fmt: skip


def _measured(client: Any, what: str, address: str) -> tuple[str, int, float, int, float]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    if found := _POLLED.search(client.get(address).content.decode()) if "/live/" in address else None:
        address = html.unescape(found.group(1))  # with what the page shows by then, as a browser asks
    client.get(address)  # what only the first answer of a process costs
    took = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        answer = client.get(address)
        took.append(1000 * (time.perf_counter() - begun))
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    return what, answer.status_code, statistics.median(took), len(queries), len(answer.content) / 1024


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "j5a_admin.settings"
    import django

    django.setup()
    print(json.dumps(measure()))
