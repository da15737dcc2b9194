"""Random kills of every process of a running panel: every job ends, with the text of an undisturbed run.

`KILLS=500 KILL_SEED=7 pytest tests/resilience/test_kills.py` for more of them, or the same again.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.panel import Panel, until
from tests.resilience.heavy_watch import HeavyWatch
from tests.speech_files import joined, sample

KILLS = int(os.environ.get("KILLS", "100"))
SEED = int(os.environ.get("KILL_SEED", str(random.randrange(10**6))))
# How often each is chosen. `tree`: the whole family at once, as a power cut does.
ROLES = {"web": 2, "worker": 2, "cluster": 4, "sampler": 1, "engine": 3, "up": 1, "tree": 2}
LIMIT_SECONDS = 200 + 12 * KILLS

Rows = list[tuple[object, ...]]


@dataclass(frozen=True)
class Recording:
    path: Path
    rows: Rows
    windows: int


class Killer:
    """Kills one process after another, and starts the panel anew where nobody else would."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._random = random.Random(SEED)
        self.told: list[str] = []
        self.engine_kills = 0

    def pause(self) -> None:
        """Now and then until something was read: a storm in which nothing can be read is rightly given up."""
        time.sleep(self._random.choice((0.1, 0.5, 1.0, 2.0, 3.0)))
        if len(self.told) % 6 == 5:
            before = _read_so_far(self._panel)
            what = f"something is read; {self.told[-8:]}; {self._panel.log()[-3000:]}"
            until(lambda: _read_so_far(self._panel) != before, seconds=180, what=what)

    def kill(self) -> None:
        role = self._random.choices(list(ROLES), list(ROLES.values()))[0]
        number = signal.SIGTERM if self._random.random() < 0.25 else signal.SIGKILL
        victims = self._find(role)
        for process in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        self.engine_kills += role == "engine" and bool(victims)
        self.told.append(f"{number.name} {role} {[process.pid for process in victims]}")
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
            if role == "cluster":
                family = [p for p in self._panel.child("worker").children(recursive=True) if "worker" in p.cmdline()]
                return [self._random.choice(family)] if family else []
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


@pytest.fixture
def recordings(make_panel: Callable[..., Panel], tmp_path: Path) -> Iterator[tuple[Panel, list[Recording]]]:
    """A panel, and what it reads in peace: one short, one of several windows, one of two chunks."""
    panel = make_panel()
    paths = [
        sample().path,
        joined(tmp_path / "four.wav", minutes=4).path,
        joined(tmp_path / "long.wav", minutes=16).path,
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


@pytest.mark.slow
@pytest.mark.timeout(LIMIT_SECONDS + 300)
def test_every_job_ends_whole(recordings: tuple[Panel, list[Recording]]) -> None:
    print(f"KILL_SEED={SEED} KILLS={KILLS}")
    panel, known = recordings
    killer = Killer(panel)
    deadline = time.monotonic() + LIMIT_SECONDS
    jobs: dict[int, Recording] = {}
    with HeavyWatch(under=panel.root) as watch:
        for number in range(KILLS):
            if len(_waiting(panel, jobs)) < 2:
                recording = known[0] if not jobs else known[1 + number % 2]
                jobs[panel.submit(recording.path, language="en")] = recording
            killer.pause()
            killer.kill()
            assert time.monotonic() < deadline, killer.told
        _until_ended(panel, jobs, killer)
    assert len(watch.peak) <= 1, f"{watch.peak}; {watch.told}; {killer.told}"
    assert len(watch.seen) > KILLS / 10, "engines were seen"
    for job_id, recording in jobs.items():
        assert _rows(panel, job_id) == recording.rows, (job_id, killer.told)
        _assert_nothing_again(panel, job_id, recording)


def _waiting(panel: Panel, jobs: dict[int, Recording]) -> list[int]:
    query = "SELECT id FROM transcribe_job WHERE status IN ('queued', 'blocked', 'running')"
    return [row["id"] for row in panel.rows(query) if row["id"] in jobs]


def _until_ended(panel: Panel, jobs: dict[int, Recording], killer: Killer) -> None:
    """A chunk whose engine was killed twice in the same window was set aside, truly: a person tries it again."""
    until(lambda: not _waiting(panel, jobs), seconds=240, what=f"every job ends; {killer.told}; {panel.log()[-3000:]}")
    left = [job_id for job_id in jobs if panel.job(job_id)["status"] != "succeeded"]
    assert len(left) * 2 <= killer.engine_kills, [tuple(panel.job(job_id)) for job_id in left]
    panel.login()
    for job_id in left:
        panel.post_form(f"/jobs/{job_id}/retry/", {}, page=panel.get(f"/jobs/{job_id}/"))
    for job_id in left:
        panel.wait_for_job(job_id, "succeeded", seconds=120)


def _assert_nothing_again(panel: Panel, job_id: int, recording: Recording) -> None:
    """Windows that were decoded, over all tries: at most one more for each try that was broken off."""
    tries = panel.rows("SELECT outcome FROM transcribe_attempt WHERE job_id = ?", job_id)
    assert _windows(panel, job_id) <= recording.windows + len(tries) - 1, [row["outcome"] for row in tries]
