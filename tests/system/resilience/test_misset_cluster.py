"""A cluster that could run two jobs at once, or one job twice, does not start, and says why."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.panel import BASE_DIR, free_port


def manage(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "J5A_DATA_DIR": str(folder / "var"), "J5A_LOCK_DIR": str(folder / "locks"), **environment}
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=BASE_DIR, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize("command", ["worker", "up"])
@pytest.mark.parametrize(
    ("misset", "said"),
    [
        ("workers=2", "Q_CLUSTER has 2 workers."),
        ("workers=0", "Q_CLUSTER has 0 workers."),
        ("retry=604799", "Q_CLUSTER retries a wake-up after 604799 s"),
    ],
)
def test_it_refuses_to_start(tmp_path: Path, command: str, misset: str, said: str) -> None:
    assert manage(tmp_path, "prepare", J5A_PORT=str(free_port())).returncode == 0
    done = manage(tmp_path, command, DJANGO_SETTINGS_MODULE="tests.support.misset", MISSET=misset)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "ready" not in done.stdout


def test_the_queues_own_cluster_is_refused(tmp_path: Path) -> None:
    done = manage(tmp_path, "qcluster")
    assert done.returncode == 1
    assert "manage.py worker" in done.stderr
    assert "Traceback" not in done.stderr
