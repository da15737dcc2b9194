"""Random kills of every process of a running panel: every job ends, with the text of an undisturbed run.

A `kill -9` counts when it met a process; SIGTERM comes on top, one for three. `KILL_SEED=7` chooses the seed.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.support.heavy_watch import HeavyWatch
from tests.support.panel import Panel, until
from tests.support.queue_processes import QUEUE_ROLES, queue_processes
from tests.support.speech_files import joined, sample

# How often each is chosen. `tree`: the whole family at once, as a power cut does.
ROLES = dict.fromkeys((*QUEUE_ROLES, "sampler", "up"), 1) | {"web": 2, "master": 2, "engine": 3, "tree": 2}

Rows = list[tuple[object, ...]]


@dataclass(frozen=True)
class Recording:
    path: Path
    rows: Rows
    windows: int


class Killer:
    """Kills one process after another, and starts the panel anew where nobody else would."""

    def __init__(self, panel: Panel, seed: int) -> None:
        self._panel = panel
        self._random = random.Random(seed)
        self.told: list[str] = []
        self.met: Counter[tuple[str, str]] = Counter()  # by signal and role
        self._owed = list(ROLES)  # each has its turn before chance decides

    @property
    def kills(self) -> int:
        return sum(count for (number, _), count in self.met.items() if number == signal.SIGKILL.name)

    def pause(self) -> None:
        """Now and then until something was read: a storm in which nothing can be read is rightly given up."""
        time.sleep(self._random.choice((0.1, 0.5, 1.0, 2.0, 3.0)))
        if len(self.told) % 6 == 5:
            before = _read_so_far(self._panel)
            what = f"something is read; {self.told[-8:]}; {self._panel.log()[-3000:]}"
            until(lambda: _read_so_far(self._panel) != before, seconds=180, what=what)

    def kill(self) -> None:
        there = {role: victims for role in ROLES if (victims := self._find(role))}
        roles = [role for role in there if role in self._owed] or list(there)
        role = self._random.choices(roles, [ROLES[role] for role in roles])[0]
        number = signal.SIGTERM if self._random.random() < 0.25 else signal.SIGKILL
        hit = [process.pid for process in there[role] if _send(process, number)]
        if hit:
            self.met[number.name, role] += 1
            if number is signal.SIGKILL and role in self._owed:
                self._owed.remove(role)
        self.told.append(f"{number.name} {role} {hit}")
        if role in ("up", "tree"):
            self._panel_again()

    def _find(self, role: str) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess, AssertionError):  # it is just being started anew
            if role == "tree":
                return self._panel.family()
            if role == "up":
                return self._panel.family()[:1]
            if role == "engine":
                return self._panel.engines()
            if role in QUEUE_ROLES:
                found = queue_processes(self._panel)
                return [found[role]] if role in found else []
            return [self._panel.child("gunicorn" if role == "web" else role)]
        return []

    def _panel_again(self) -> None:
        """As systemd would: when all of the old one is gone."""
        assert self._panel.process is not None
        self._panel.process.wait(60)
        try:
            until(lambda: not _of_panel(self._panel), seconds=30, what="nothing of the killed panel is left")
        except AssertionError as late:
            raise AssertionError(f"{late}; {_told(_of_panel(self._panel))}; {self.told[-8:]}") from None
        self._panel.up()


def _send(process: psutil.Process, number: signal.Signals) -> bool:
    """Whether it met: the dead and the zombies are not killed again."""
    with contextlib.suppress(psutil.NoSuchProcess):
        if process.status() != psutil.STATUS_ZOMBIE:
            process.send_signal(number)
            return True
    return False


def _read_so_far(panel: Panel) -> tuple[int, int]:
    """Windows decoded, and jobs that wait no more."""
    windows = panel.rows("SELECT coalesce(sum(decoded_windows), 0) FROM transcribe_attempt")[0][0]
    ended = panel.rows("SELECT count(*) FROM transcribe_job WHERE status NOT IN ('queued', 'blocked', 'running')")[0][0]
    return int(windows), int(ended)


def _of_panel(panel: Panel) -> list[int]:
    mark = f"J5A_DATA_DIR={panel.data_dir}\0".encode()
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(OSError):
            if mark in (Path("/proc") / str(process.pid) / "environ").read_bytes():
                found.append(process.pid)
    return found


def _told(pids: list[int]) -> list[str]:
    """What a process is and what it waits for, for the reader of a failure."""
    found = []
    for pid in pids:
        with contextlib.suppress(OSError, psutil.Error):
            process, place = psutil.Process(pid), Path("/proc") / str(pid)
            waits = (place / "wchan").read_text()
            found.append(f"{pid} under {process.ppid()}, {process.status()} in {waits}: {process.cmdline()}")
    return found


@pytest.fixture(name="read_in_peace")
def recordings(make_panel: Callable[..., Panel], tmp_path: Path) -> Iterator[tuple[Panel, list[Recording]]]:
    """A panel, and what it reads in peace: one short, one of several windows, one of two chunks."""
    panel = make_panel()
    paths = [
        sample().path,
        joined(tmp_path / "three.wav", minutes=3).path,
        joined(tmp_path / "long.wav", minutes=15.5, pause_seconds=60, dense_from_minutes=13).path,
    ]
    jobs = [panel.submit(path, language="en") for path in paths]
    for job_id in jobs:
        panel.wait_for_job(job_id, "succeeded", seconds=300)
    yield panel, [Recording(p, _rows(panel, j), _windows(panel, j)) for p, j in zip(paths, jobs, strict=True)]


def _rows(panel: Panel, job_id: int) -> Rows:
    """Without avg_logprob and its like: torch does not add up to the same last bit every time."""
    query = (
        'SELECT c."index", s."index", s.start_seconds, s.end_seconds, s.text, s.words, s.temperature'
        " FROM transcribe_segment s JOIN transcribe_chunk c ON c.id = s.chunk_id"
        ' WHERE s.job_id = ? ORDER BY c."index", s."index"'
    )
    return [tuple(row) for row in panel.rows(query, job_id)]


def _windows(panel: Panel, job_id: int) -> int:
    return int(panel.rows("SELECT sum(decoded_windows) FROM transcribe_attempt WHERE job_id = ?", job_id)[0][0])


def assert_every_job_ends_whole(recordings: tuple[Panel, list[Recording]], kills: int) -> None:
    """After so many `kill -9` that met a process, each role at least once."""
    seed = int(os.environ.get("KILL_SEED", random.randrange(10**6)))
    print(f"KILL_SEED={seed}, {kills} kills")
    panel, known = recordings
    limit_seconds = 200 + 12 * kills
    killer = Killer(panel, seed)
    begun = time.monotonic()
    jobs: dict[int, Recording] = {}
    with HeavyWatch(under=panel.root) as watch:
        for number in itertools.takewhile(lambda _: killer.kills < kills, itertools.count()):
            if len(_waiting(panel, jobs)) < 2:
                recording = known[0] if not jobs else known[1 + number % 2]
                jobs[panel.submit(recording.path, language="en")] = recording
            killer.pause()
            killer.kill()
            assert time.monotonic() < begun + limit_seconds, killer.told
        _until_ended(panel, jobs, killer)
    assert len(watch.peak) <= 1, f"{watch.peak}; {watch.told}; {killer.told}"
    assert len(watch.seen) > kills / 10, "engines were seen"
    print(f"{dict(killer.met)} in {time.monotonic() - begun:.0f} s")
    assert {role for number, role in killer.met if number == signal.SIGKILL.name} == set(ROLES)
    for job_id, recording in jobs.items():
        assert _rows(panel, job_id) == recording.rows, (job_id, killer.told)
        _assert_nothing_again(panel, job_id, recording)


def _waiting(panel: Panel, jobs: dict[int, Recording]) -> list[int]:
    query = "SELECT id FROM transcribe_job WHERE status IN ('queued', 'blocked', 'running')"
    return [row["id"] for row in panel.rows(query) if row["id"] in jobs]


def _until_ended(panel: Panel, jobs: dict[int, Recording], killer: Killer) -> None:
    """What was killed twice at the same place of a chunk, or five times before it read anything, truly was given up: a
    person tries it again.
    """
    until(lambda: not _waiting(panel, jobs), seconds=240, what=f"every job ends; {killer.told}; {panel.log()[-3000:]}")
    left = [job_id for job_id in jobs if panel.job(job_id)["status"] != "succeeded"]
    reasons = [str(panel.job(job_id)["reason"]) for job_id in left]
    given_up = ("was set aside, having lost its process twice", "This happened 5 times in a row")
    assert all(any(words in reason for words in given_up) for reason in reasons), reasons
    assert len(left) * 2 <= sum(killer.met.values()), reasons
    panel.login()
    for job_id in left:
        panel.post_form(f"/jobs/{job_id}/retry/", {}, page=panel.get(f"/jobs/{job_id}/"))
    for job_id in left:
        panel.wait_for_job(job_id, "succeeded", seconds=120)


def _assert_nothing_again(panel: Panel, job_id: int, recording: Recording) -> None:
    """Windows that were decoded, over all tries: at most one more for each try that was broken off."""
    tries = panel.rows("SELECT outcome FROM transcribe_attempt WHERE job_id = ?", job_id)
    assert _windows(panel, job_id) <= recording.windows + len(tries) - 1, [row["outcome"] for row in tries]
