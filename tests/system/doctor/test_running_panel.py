"""Beside a real panel: it is recognised on its port and by its lock, and so are a second cluster and a second lock."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from j5a_admin.doctor.findings import Finding, Status
from tests.support.doctor_runs import run_doctor
from tests.support.panel import BASE_DIR, Panel, until


def beside(panel: Panel, subject: str, **environment: str) -> list[Finding]:
    own = {name: panel.env[name] for name in ("J5A_LOCK_DIR", "J5A_PORT")}
    return run_doctor(panel.data_dir, "--json", **{**own, **environment}).named(subject)


def test_it_finds_the_panel_and_its_port(panel: Panel) -> None:
    assert panel.process is not None
    until(lambda: panel.child("worker"), seconds=10, what="the worker runs")
    (found,) = beside(panel, "panel")
    assert found.sentence == f"It runs (PID {panel.process.pid}), with one worker (PID {panel.child('worker').pid})."
    (port,) = beside(panel, "port")
    assert (port.status, "This panel listens on" in port.sentence) == (Status.PASS, True)


def test_it_finds_a_second_cluster_on_the_same_data(panel: Panel) -> None:
    command = [sys.executable, "manage.py", "worker"]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    second = subprocess.Popen(command, cwd=BASE_DIR, env=panel.env, **quiet)
    try:
        (found,) = beside(panel, "panel")
    finally:
        second.kill()
        second.wait()
    assert found.status is Status.WARN
    assert "2 workers run on this data directory" in found.sentence
    assert str(second.pid) in found.sentence


def test_it_warns_of_the_panel_when_our_lock_is_another(panel: Panel, tmp_path: Path) -> None:
    lines = [f for f in run_doctor(tmp_path, "--json").named("other panels") if str(panel.data_dir) in f.sentence]
    assert [line.status for line in lines] == [Status.WARN]
    assert f"lock in {panel.lock_path.parent}" in lines[0].sentence
    assert str(tmp_path / "locks") in lines[0].advice


def test_it_passes_the_panel_when_our_lock_is_the_same(panel: Panel, tmp_path: Path) -> None:
    answer = run_doctor(tmp_path, "--json", J5A_LOCK_DIR=panel.env["J5A_LOCK_DIR"])
    lines = [f for f in answer.named("other panels") if str(panel.data_dir) in f.sentence]
    assert [line.status for line in lines] == [Status.PASS]


def test_it_fails_when_another_panel_has_our_port(panel: Panel, tmp_path: Path) -> None:
    finding = run_doctor(tmp_path, "--json", J5A_PORT=str(panel.port)).findings["port"]
    assert finding.status is Status.FAIL
    assert "python gunicorn (PID " in finding.sentence


def test_its_page_sees_the_panel_from_inside(panel: Panel) -> None:
    panel.login()
    page = panel.get("/doctor/")
    assert f"This panel listens on 127.0.0.1:{panel.port} " in page
    assert f"It runs (PID {panel.process.pid})" in page  # type: ignore[union-attr]
