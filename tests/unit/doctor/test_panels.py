"""This panel and others, as the process table shows them: one worker each, and one lock for all."""

from __future__ import annotations

from pathlib import Path

import pytest

from j5a_admin.doctor.findings import Finding, Status
from j5a_admin.doctor.processes import (
    PanelProcess,
    PanelRole,
    folders_of,
    judge_other_panels,
    judge_own_panel,
    panel_role,
    worker_trees,
)

DATA, LOCK = Path("/ours/var"), Path("/tmp/locks")


def worker(pid: int, ppid: int = 1, *, data: Path | None = DATA, lock: Path | None = LOCK) -> PanelProcess:
    return PanelProcess(pid=pid, ppid=ppid, role=PanelRole.WORKER, data_dir=data, lock_dir=lock)


def others(*workers: PanelProcess) -> list[Finding]:
    return list(judge_other_panels(workers, data_dir=DATA, lock_dir=LOCK))


@pytest.mark.parametrize(
    ("up", "workers", "status", "says"),
    [
        ((), (), Status.PASS, "does not run"),
        ((5,), (6,), Status.PASS, "It runs (PID 5), with one worker (PID 6)."),
        ((5,), (), Status.WARN, "without its worker"),
        ((), (6,), Status.PASS, "A worker runs by itself (PID 6)"),
        ((5,), (6, 7), Status.WARN, "2 workers run on this data directory (PIDs 6, 7)"),
        ((), (6, 7), Status.WARN, "2 workers run"),
    ],
)
def test_it_judges_our_own(up: tuple[int, ...], workers: tuple[int, ...], status: Status, says: str) -> None:
    finding = judge_own_panel(up, workers)
    assert finding.status is status
    assert says in finding.sentence
    assert finding.advice or finding.status is Status.PASS


@pytest.mark.parametrize(
    ("workers", "statuses", "says"),
    [
        ((), [Status.PASS], "No other panel runs"),
        ((worker(6),), [Status.PASS], "No other panel runs"),
        ((worker(6, data=Path("/b")),), [Status.PASS], "Another panel runs (PID 6, data in /b), with the same lock"),
        ((worker(6, data=Path("/b"), lock=Path("/c")),), [Status.WARN], "both may start a model"),
        ((worker(6, lock=Path("/c")),), [Status.WARN], "lock in /c"),
        ((worker(6, data=None, lock=None),), [Status.WARN], "Another user's panel runs (PID 6)"),
        ((worker(6, lock=Path("/c")), worker(7, data=Path("/b"))), [Status.WARN, Status.PASS], "another lock"),
    ],
)
def test_it_judges_others(workers: tuple[PanelProcess, ...], statuses: list[Status], says: str) -> None:
    findings = others(*workers)
    assert [finding.status for finding in findings] == statuses
    assert says in findings[0].sentence


def test_a_cluster_of_several_processes_is_one_worker() -> None:
    table = [worker(6), worker(7, 6), worker(8, 7), worker(9, 7), worker(20, 1)]
    assert [tree.pid for tree in worker_trees(table)] == [6, 20]


def test_only_workers_count() -> None:
    sampler = PanelProcess(pid=4, ppid=1, role=PanelRole.SAMPLER, data_dir=DATA, lock_dir=LOCK)
    assert worker_trees([sampler]) == ()


@pytest.mark.parametrize(
    ("command", "role"),
    [
        ("/x/.venv/bin/python /x/manage.py worker", PanelRole.WORKER),
        ("python3.11 manage.py up", PanelRole.UP),
        ("python manage.py sampler", PanelRole.SAMPLER),
        ("python -m gunicorn j5a_admin.wsgi:application --bind=x", PanelRole.WEB),
        ("python -m gunicorn other.wsgi:application", None),
        ("python manage.py doctor", None),
        ("python manage.py", None),
        ("vim manage.py worker", None),
        ("grep manage.py worker", None),
        ("", None),
    ],
)
def test_it_knows_a_panels_process_by_its_command(command: str, role: PanelRole | None) -> None:
    assert panel_role(command.split()) is role


@pytest.mark.parametrize(
    ("environment", "data", "lock"),
    [
        ({}, "/x/var", "/tmp/j5a_locks"),
        ({"J5A_DATA_DIR": " ", "J5A_LOCK_DIR": ""}, "/x/var", "/tmp/j5a_locks"),
        ({"J5A_DATA_DIR": "/d", "J5A_LOCK_DIR": "/l"}, "/d", "/l"),
        ({"J5A_DATA_DIR": "here", "J5A_LOCK_DIR": "../l"}, "/cwd/here", "/l"),
    ],
)
def test_it_reads_the_folders_as_the_settings_would(environment: dict[str, str], data: str, lock: str) -> None:
    assert folders_of(environment, Path("/x"), Path("/cwd")) == (Path(data), Path(lock))


def test_the_folders_of_another_user_are_not_known() -> None:
    assert folders_of(None, Path("/x"), Path("/cwd")) == (None, None)
