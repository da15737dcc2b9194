"""A real panel for tests: `manage.py prepare` and `manage.py up` with their own data, lock directory and port."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from functools import cache
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil

BASE_DIR = Path(__file__).resolve().parents[2]
STOP_LIMIT_SECONDS = 15.0
ENDED = ("succeeded", "incomplete", "failed", "cancelled")
PATIENCE = 3.0  # machines that run this suite do other things, too; what is promised in seconds is asserted apart


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], Any], *, seconds: float, what: str) -> Any:
    """Wait for a truthy answer; fail with `what` after `seconds` of a quiet machine."""
    deadline = time.monotonic() + seconds * PATIENCE
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.1)
    return answer


def csrf_token(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found, "the page has no CSRF token"
    return found[1]


class Panel:
    """Start it, use `.url`, and `.stop()` it in a finally."""

    def __init__(self, root: Path, *, under: tuple[str, ...] = (), **environment: str) -> None:
        """`under`: the words of a program that runs `manage.py up` in its own place, and becomes it."""
        self.root = root
        self.under = under
        self.data_dir = root / "var"
        self.lock_path = root / "locks" / "whisper_large.lock"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {
            **os.environ,
            "J5A_DATA_DIR": str(self.data_dir),
            "J5A_LOCK_DIR": str(self.lock_path.parent),
            "J5A_PORT": str(self.port),
            "J5A_BIND": "127.0.0.1",
            "J5A_GATE_RETRY_SECONDS": "1",
            **environment,
        }
        self.log_path = root / "panel.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.cookies = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    # ── Running ──────────────────────────────────────────────────────────────────────────────────
    def manage(self, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(
            command,
            cwd=BASE_DIR,
            env=self.env,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            **more,
        )

    def start(self, *, without_sample: bool = True, output: int | None = None) -> Panel:
        if without_sample:
            shutil.copytree(prepared_data(), self.data_dir, dirs_exist_ok=True)
        else:
            _prepare(self)
        self.up(output)
        return self

    def up(self, output: int | None = None) -> None:
        """`output`: a descriptor in place of the log."""
        with self.log_path.open("ab") as log:
            told = log if output is None else output
            self.process = subprocess.Popen(
                [*self.under, sys.executable, "manage.py", "up"],
                cwd=BASE_DIR,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=told,
                start_new_session=True,
            )
        until(self._serves, seconds=30, what=f"the panel serves; its log:\n{self.log()}")

    def stop(self) -> float:
        """SIGTERM; seconds it took. Whatever is left afterwards is killed and reported."""
        if self.process is None:
            return 0.0
        family = self.family()
        begun = time.monotonic()
        try:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(STOP_LIMIT_SECONDS + 10)
            took = time.monotonic() - begun
            _, left = psutil.wait_procs(family, timeout=2)
            assert not left, f"left behind: {left}"
            return took
        finally:
            for process in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            self.process.wait(10)
            self.process = None

    def family(self) -> list[psutil.Process]:
        assert self.process is not None
        main = psutil.Process(self.process.pid)
        return [main, *main.children(recursive=True)]

    def child(self, word: str) -> psutil.Process:
        """The one process of the panel whose command line has `word` as an argument."""
        found = [p for p in self.family()[1:] if word in _command(p) and p.ppid() == self.process.pid]  # type: ignore[union-attr]
        assert len(found) == 1, f"{word}: {found}"
        return found[0]

    def engines(self) -> list[psutil.Process]:
        return [p for p in self.family() if "transcribe.engine" in _command(p)]

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    # ── Looking ──────────────────────────────────────────────────────────────────────────────────
    @property
    def password(self) -> str:
        return (self.data_dir / "first_password").read_text().split()[1]

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """Rows of the panel's own database, read from outside."""
        with contextlib.closing(sqlite3.connect(self.data_dir / "j5a.sqlite3", timeout=30)) as database:
            database.row_factory = sqlite3.Row
            return database.execute(query, values).fetchall()

    def change(self, statement: str, *values: Any) -> None:
        """Write into the panel's own database from outside: what cannot be brought about in a test's time."""
        with contextlib.closing(sqlite3.connect(self.data_dir / "j5a.sqlite3", timeout=30)) as database, database:
            database.execute(statement, values)

    def forget_incidents(self) -> None:
        """So that the next test of a shared panel opens its own."""
        for table in ("gate_incidentevidence", "gate_incidentevent", "gate_incident"):
            self.change(f"DELETE FROM {table}")

    def job(self, job_id: int) -> sqlite3.Row:
        return self.rows("SELECT * FROM transcribe_job WHERE id = ?", job_id)[0]

    def wait_for_job(self, job_id: int, *statuses: str, seconds: float = 120) -> sqlite3.Row:
        def arrived() -> sqlite3.Row | None:
            job = self.job(job_id)
            if job["status"] in ENDED and job["status"] not in statuses:
                raise AssertionError  # nothing more will come: say so now
            return job if job["status"] in statuses else None

        try:
            found: sqlite3.Row = until(arrived, seconds=seconds, what="")
            return found
        except AssertionError:
            job = self.job(job_id)
            raise AssertionError(
                f"job {job_id} is {job['status']} ({job['reason']}), not {statuses}; log:\n{self.log()[-3000:]}"
            ) from None

    def text(self, job_id: int) -> str:
        rows = self.rows(
            "SELECT s.text FROM transcribe_segment s JOIN transcribe_chunk c ON c.id = s.chunk_id"
            ' WHERE s.job_id = ? ORDER BY c."index", s."index"',
            job_id,
        )
        return " ".join(row["text"] for row in rows)

    # ── Using, as a browser without JavaScript would ─────────────────────────────────────────────
    def login(self) -> None:
        page = self.get("/admin/login/")
        self.post_form("/admin/login/", {"username": "admin", "password": self.password}, page=page)

    def get(self, path: str) -> str:
        with self.opener.open(self.url + path, timeout=30) as answer:
            return str(answer.read().decode())

    def post_form(self, path: str, values: dict[str, str], *, page: str) -> str:
        body = urlencode({**values, "csrfmiddlewaretoken": csrf_token(page)}).encode()
        request = urllib.request.Request(self.url + path, body, {"Referer": self.url + path})
        with self.opener.open(request, timeout=60) as answer:
            return str(answer.read().decode())

    def cancel(self, job_id: int) -> None:
        self.login()
        self.post_form(f"/jobs/{job_id}/cancel/", {}, page=self.get(f"/jobs/{job_id}/"))
        self.wait_for_job(job_id, "cancelled", seconds=30)

    def submit(self, path: Path, **options: str) -> int:
        """Submit a file to the running panel's queue through its own service; the job's number."""
        words = [f"--{name}={value}" for name, value in options.items()]
        done = subprocess.run(
            [sys.executable, str(BASE_DIR / "tests" / "support" / "submit.py"), str(path), *words],
            cwd=BASE_DIR,
            env=self.env,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    def _serves(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the panel ended:\n{self.log()}"
        return self.answers()

    def answers(self) -> bool:
        """Whether the login page comes."""
        try:
            self.get("/admin/login/")
        except OSError:
            return False
        return True


@cache
def prepared_data() -> Path:
    """A data directory that `manage.py prepare` has made, without the sample: made once, to be copied."""
    root = Path(tempfile.mkdtemp(prefix="j5a-prepared-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    first = Panel(root)
    (first.data_dir / "uploads").mkdir(parents=True)
    (first.data_dir / "uploads" / ".sample-submitted").touch()
    _prepare(first)
    return first.data_dir


def _prepare(panel: Panel) -> None:
    done = panel.manage("prepare")
    assert done.returncode == 0, done.stdout + done.stderr


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []
