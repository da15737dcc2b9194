"""Several processes claim, place, hold and pause at one moment: nothing is lost, nothing claimed against a wish."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

BASE = Path(__file__).resolve().parents[3]
RACER = BASE / "tests" / "support" / "queue_racer.py"
JOBS = 20
LIMIT_SECONDS = 240

MAKE = """
from transcribe.models import Job, JobEvent
for number in range({jobs}):
    job = Job.objects.create(title=str(number), original_name="x", audio_sha256="a" * 64, audio_bytes=1,
                             duration_seconds=1.0, model="demo", owner="worker")
    JobEvent.objects.create(job=job, new="queued")
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with jobs that wait, made once."""
    data_dir = tmp_path_factory.mktemp("filled")
    env = {**os.environ, "J5A_DATA_DIR": str(data_dir), "J5A_LOCK_DIR": str(data_dir / "locks")}
    for words in (("migrate", "-v0"), ("shell", "-c", MAKE.format(jobs=JOBS))):
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(command, cwd=BASE, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stderr
    return data_dir


@pytest.fixture
def race(tmp_path: Path, filled: Path) -> Callable[..., list[dict[str, Any]]]:
    """Run racers on a fresh database; what they said, all together."""
    env = {**os.environ, "J5A_DATA_DIR": str(tmp_path / "var"), "J5A_LOCK_DIR": str(tmp_path / "locks")}

    def run(*roles: str) -> list[dict[str, Any]]:
        shutil.copytree(filled, tmp_path / "var")
        racers = [
            subprocess.Popen(
                [sys.executable, str(RACER), role, str(seed)],
                cwd=BASE,
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for seed, role in enumerate(roles)
        ]
        said: list[dict[str, Any]] = []
        try:
            for racer in racers:
                assert racer.stdout is not None
                assert json.loads(racer.stdout.readline() or "{}") == {"ready": True}
            for racer in racers:
                assert racer.stdin is not None
                racer.stdin.write("go\n")
                racer.stdin.flush()
            for racer in racers:
                out, err = racer.communicate(timeout=LIMIT_SECONDS)
                assert racer.returncode == 0, err
                said += [json.loads(line) for line in out.splitlines()]
        finally:
            for racer in racers:
                if racer.poll() is None:
                    racer.kill()
                racer.wait(10)
        return said

    return run


@pytest.fixture
def rows(tmp_path: Path) -> Callable[[str], list[tuple[Any, ...]]]:
    def read(query: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(tmp_path / "var" / "j5a.sqlite3", timeout=30)) as database:
            return database.execute(query).fetchall()

    return read


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_whoever_is_placed_first_is_claimed_next(
    race: Callable[..., list[dict[str, Any]]], rows: Callable[[str], list[tuple[Any, ...]]]
) -> None:
    said = race("claim", "claim", "place")
    claimed = {pk: moment(at) for pk, at in rows("SELECT job_id, at FROM transcribe_jobevent WHERE new = 'running'")}
    assert len(claimed) == JOBS
    assert sorted(line["claimed"] for line in said if "claimed" in line) == sorted(claimed), "each exactly once"
    placed = [(line["placed"], line["at"]) for line in said if "placed" in line]
    assert placed, "nothing was placed while they claimed"
    placed.sort(key=lambda pair: pair[1])
    for number, (pk, at) in enumerate(placed):
        until = min(claimed[pk], placed[number + 1][1] if number + 1 < len(placed) else float("inf"))
        # The next placing took place some time before it was told, so only claims before the one after are judged.
        before = [other for other, when in claimed.items() if at < when < until and other != pk]
        if number + 1 < len(placed):
            before = [other for other in before if other != placed[number + 1][0]]
        assert before == [], f"job {pk} was placed first, and {before} were claimed before it"


def test_holds_and_pauses_are_kept_while_two_claim(
    race: Callable[..., list[dict[str, Any]]], rows: Callable[[str], list[tuple[Any, ...]]]
) -> None:
    said = race("claim", "claim", "hold", "pause")
    assert [line for line in said if "held" in line], "nothing was held while they claimed"
    assert [line for line in said if "paused" in line], "the queue was not paused while they claimed"
    claims = [line["claimed"] for line in said if "claimed" in line]
    assert sorted(claims) == sorted(set(claims)), "a job was claimed twice"
    assert len(claims) == JOBS
    events = rows("SELECT job_id, old, new FROM transcribe_jobevent ORDER BY id")
    for job_id in set(claims):
        chain = [(old, new) for pk, old, new in events if pk == job_id]
        follows = [old for old, _ in chain[1:]] == [new for _, new in chain[:-1]]
        assert follows, f"job {job_id} went from one status to another that it did not have: {chain}"
    changes = rows("SELECT at, after FROM transcribe_queuechange ORDER BY id")
    pauses = [(moment(a[0]), moment(b[0])) for a, b in zip(changes[::2], changes[1::2], strict=False)]
    assert all(after != "goes on" for _, after in changes[::2])
    starts = [moment(at) for (at,) in rows("SELECT at FROM transcribe_jobevent WHERE new = 'running'")]
    assert [at for at in starts if any(begin < at < end for begin, end in pauses)] == [], "claimed while paused"
