"""`manage.py up` as its user meets it: it serves quickly, stops wholly, and says what is wrong."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import psutil
import pytest

from j5a_admin.management.commands.up import WEB_THREADS
from j5a_admin.web_connection import SILENT_SECONDS
from tests.support.panel import BASE_DIR, Panel, csrf_token, free_port, until
from tests.support.speech_files import SPEECH_DIR, joined

CLIP = SPEECH_DIR / "clip_00.flac"
MakePanel = Callable[..., Panel]


def test_a_first_start_shows_a_finished_transcript_within_a_minute(make_panel: MakePanel) -> None:
    panel = make_panel(without_sample=False)
    job = panel.wait_for_job(1, "succeeded", seconds=60)
    assert job["source"] == "sample"
    took = datetime.fromisoformat(job["finished_at"]) - datetime.fromisoformat(job["created_at"])
    assert took.total_seconds() < 60
    assert panel.text(1).strip()
    panel.login()
    assert job["title"] in panel.get("/").replace("&#x27;", "'")


def test_secrets_are_for_their_owner_only(panel: Panel) -> None:
    for name in ("secret_key", "first_password", "j5a.sqlite3"):
        assert stat.S_IMODE((panel.data_dir / name).stat().st_mode) == 0o600, name


def test_the_password_is_printed_once(panel: Panel) -> None:
    again = panel.manage("prepare")
    assert again.returncode == 0
    assert "Password" not in again.stdout


def test_a_second_start_serves_within_five_seconds(make_panel: MakePanel) -> None:
    """On a quiet machine. Beside other work: as many times one small command as that is there (0.6 s)."""
    panel = make_panel()
    took: list[tuple[float, float]] = []
    while len(took) < 3 and not any(map(_is_quick, took)):
        panel.stop()
        begun = time.monotonic()
        assert panel.manage("prepare").returncode == 0
        panel.up()
        served = time.monotonic()
        assert panel.manage("help").returncode == 0
        took.append((served - begun, time.monotonic() - served))
    assert any(map(_is_quick, took)), took


def _is_quick(took: tuple[float, float]) -> bool:
    start, command = took
    return start < max(5.0, 8 * command)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_in_the_middle_of_a_job_leaves_no_process(make_panel: MakePanel, number: int, tmp_path: Path) -> None:
    panel = make_panel()
    job_id = panel.submit(joined(tmp_path / "long.wav", minutes=5).path)
    until(panel.engines, seconds=20, what="an engine runs")
    family = panel.family()
    assert panel.process is not None
    begun = time.monotonic()
    panel.process.send_signal(number)
    panel.process.wait(30)
    assert time.monotonic() - begun < 15
    _, left = psutil.wait_procs(family, timeout=2)
    assert left == []
    assert panel.job(job_id)["status"] == "queued"
    panel.process = None


def test_sigterm_to_every_process_at_once_leaves_none(make_panel: MakePanel, tmp_path: Path) -> None:
    """As a service manager does that stops a whole control group. django-q2's own master hangs then."""
    panel = make_panel()
    job_id = panel.submit(joined(tmp_path / "long.wav", minutes=5).path)
    until(panel.engines, seconds=20, what="an engine runs")
    family = panel.family()
    for process in family:
        process.send_signal(signal.SIGTERM)
    _, left = psutil.wait_procs(family, timeout=30)
    assert left == []
    assert panel.process is not None
    panel.process.wait(10)
    panel.up()
    panel.wait_for_job(job_id, "succeeded", seconds=240)


def test_when_up_is_killed_everything_ends(make_panel: MakePanel) -> None:
    panel = make_panel()
    family = panel.family()
    _kill_up(panel, family, leave_seconds=30)


def test_a_queue_that_cannot_stop_is_not_left_behind(make_panel: MakePanel) -> None:
    """As when a killed process has left a lock of django-q2 taken: a stop waits for it for ever."""
    panel = make_panel()
    family = panel.family()
    sentinel = until(lambda: panel.child("worker").children(), seconds=20, what="a sentinel")[0]
    sentinel.suspend()
    _kill_up(panel, family, leave_seconds=90)


def _kill_up(panel: Panel, family: list[psutil.Process], *, leave_seconds: float) -> None:
    """So long all the others may take to end."""
    assert panel.process is not None
    panel.process.kill()
    panel.process.wait(10)
    _, left = psutil.wait_procs(family, timeout=leave_seconds)
    assert left == []
    panel.process = None


def test_a_dead_process_is_started_anew(make_panel: MakePanel) -> None:
    panel = make_panel()
    old = panel.child("sampler")
    old.kill()
    old.wait(5)
    new = until(lambda: _child_or_none(panel, "sampler"), seconds=10, what="a new sampler")
    assert new.pid != old.pid
    assert "sampler ended (exit code -9)" in panel.log()


def _child_or_none(panel: Panel, word: str) -> psutil.Process | None:
    try:
        return panel.child(word)
    except (AssertionError, psutil.NoSuchProcess):
        return None


def test_a_taken_port_is_said_plainly(panel: Panel) -> None:
    done = up_again(panel)
    assert done.returncode != 0
    assert f"Cannot listen on 127.0.0.1:{panel.port}" in done.stderr
    assert "J5A_PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_web_process_holds_neither_torch_nor_whisper(panel: Panel) -> None:
    panel.login()
    panel.get("/")
    panel.get("/jobs/")
    for process in panel.family():
        if panel.engines() and process in panel.engines():
            continue
        libraries = {entry.path for entry in process.memory_maps()}
        assert not [path for path in libraries if re.search(r"/(torch|llvmlite|av\.libs|numpy)/", path)], process


def test_everything_is_behind_the_login(panel: Panel) -> None:
    with urllib.request.urlopen(panel.url + "/", timeout=10) as answer:
        assert "/admin/login/" in answer.url


def up_again(panel: Panel, **environment: str) -> subprocess.CompletedProcess[str]:
    """`manage.py up` beside the running panel."""
    return subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=BASE_DIR,
        env={**panel.env, **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=30,
    )


def test_a_second_panel_on_the_same_data_is_refused(panel: Panel) -> None:
    done = up_again(panel, J5A_PORT=str(free_port()))
    assert done.returncode != 0
    assert f"Another panel runs on {panel.data_dir}" in done.stderr
    assert "J5A_DATA_DIR" in done.stderr
    assert "Traceback" not in done.stderr


@contextlib.contextmanager
def worker_alone(panel: Panel) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """`manage.py worker` on the panel's data, and where it writes; ended with the block."""
    said = panel.root / "worker.log"
    with said.open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "manage.py", "worker"],
            cwd=BASE_DIR, env=panel.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield worker, said
    finally:
        worker.terminate()
        worker.wait(60)


def test_a_second_queue_on_the_same_data_waits_until_the_first_is_gone(make_panel: MakePanel) -> None:
    panel = make_panel()
    with worker_alone(panel) as (second, said):
        until(lambda: "another cluster runs on this data directory" in said.read_text(), seconds=30, what="it says so")
        panel.wait_for_job(panel.submit(CLIP), "succeeded")
        assert psutil.Process(second.pid).children() == [], "it has no cluster while the first one works"
        panel.stop()
        until(lambda: "worker: ready" in said.read_text(), seconds=30, what="its turn has come")
        panel.wait_for_job(panel.submit(CLIP), "succeeded")


def test_a_worker_waits_for_a_database_that_cannot_be_opened(make_panel: MakePanel) -> None:
    """A folder stands in the place of its file."""
    panel = make_panel()
    panel.stop()
    database = panel.data_dir / "j5a.sqlite3"
    aside = database.rename(database.with_suffix(".aside"))
    database.mkdir()
    with worker_alone(panel) as (worker, said):
        until(lambda: "the database cannot be used" in said.read_text(), seconds=30, what="it says so")
        database.rmdir()
        aside.rename(database)
        panel.wait_for_job(panel.submit(CLIP), "succeeded")
        assert worker.poll() is None


def test_a_lock_directory_that_cannot_be_used_is_said_plainly(panel: Panel, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = up_again(panel, J5A_PORT=str(free_port()), J5A_LOCK_DIR=str(tmp_path / "file"))
    assert done.returncode != 0
    assert str(tmp_path / "file") in done.stderr
    assert "J5A_LOCK_DIR" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_start_that_must_fail_sets_nothing_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        panel = Panel(tmp_path)
        panel.env["J5A_PORT"] = str(taken.getsockname()[1])
        done = panel.manage("prepare")
        assert done.returncode != 0
        assert "Cannot listen on 127.0.0.1" in done.stderr
        assert "choose another port with J5A_PORT" in done.stderr
        assert "Password" not in done.stdout
        assert sorted(path.name for path in panel.data_dir.iterdir() if path.is_file()) == ["host_id", "secret_key"]
    assert "Password" in panel.manage("prepare").stdout


def test_a_command_leaves_an_upload_alone_that_is_on_its_way_in(panel: Panel) -> None:
    panel.login()
    token = csrf_token(panel.get("/jobs/"))
    body = _slow_body(token, CLIP)
    headers = {
        "Cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in panel.cookies),
        "Referer": f"{panel.url}/jobs/",
        "Accept": "application/json",
        "Content-Type": "multipart/form-data; boundary=boundary",
        "Content-Length": str(len(body)),
    }
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", panel.port, timeout=60)) as connection:
        connection.putrequest("POST", "/jobs/upload/")
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        connection.send(body[:-20_000])
        incoming = panel.data_dir / "uploads" / "incoming"
        (path,) = until(lambda: list(incoming.iterdir()), seconds=10, what="the upload has begun")
        os.utime(path, (0, 0))
        assert panel.manage("prepare").returncode == 0
        assert panel.manage("transcribe", str(CLIP), "--model", "no-such-model").returncode == 2
        assert path.exists()
        connection.send(body[-20_000:])
        with connection.getresponse() as answer:
            assert answer.status == 201
            job_url = json.loads(answer.read())["job"]["url"]
    panel.wait_for_job(int(job_url.split("/")[2]), "succeeded")


def _slow_body(token: str, path: Path) -> bytes:
    fields = {"csrfmiddlewaretoken": token, "model": "demo", "language": ""}
    parts = [
        f'--boundary\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append('--boundary\r\nContent-Disposition: form-data; name="files"; filename="slow.flac"\r\n\r\n')
    return "".join(parts).encode() + path.read_bytes() + b"\r\n--boundary--\r\n"


def test_under_nohup_it_outlives_its_terminal(make_panel: MakePanel) -> None:
    panel = make_panel()
    panel.stop()
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does it; children inherit that
    try:
        panel.up()
    finally:
        signal.signal(signal.SIGHUP, before)
    assert panel.process is not None
    panel.process.send_signal(signal.SIGHUP)
    time.sleep(1.0)
    assert panel.process.poll() is None
    panel.login()


def test_a_relative_data_directory_is_one_directory(tmp_path: Path) -> None:
    """`up` from another folder than the project's: web, worker and sampler mean the same place."""
    panel = Panel(tmp_path)
    panel.env["J5A_DATA_DIR"] = "mydata"
    manage = [sys.executable, str(BASE_DIR / "manage.py")]
    subprocess.run([*manage, "prepare"], cwd=tmp_path, env=panel.env, check=True, stdin=subprocess.DEVNULL)
    process = subprocess.Popen([*manage, "up"], cwd=tmp_path, env=panel.env, stdin=subprocess.DEVNULL)
    try:
        until(panel.answers, seconds=30, what="it serves")
        assert not (BASE_DIR / "mydata").exists()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def test_stalled_connections_give_their_threads_back(panel: Panel) -> None:
    """As many as there are threads, each with half a request: the panel answers again before long."""
    connections = []
    for _ in range(WEB_THREADS):
        connection = socket.create_connection(("127.0.0.1", panel.port))
        connection.sendall(
            b"POST /admin/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\nCookie: j5a_csrf=" + b"x" * 32 + b"\r\n\r\nx"
        )
        connections.append(connection)
    try:
        until(panel.answers, seconds=SILENT_SECONDS + 15, what="the panel answers")
    finally:
        for connection in connections:
            connection.close()
