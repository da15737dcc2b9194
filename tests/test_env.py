"""The environment is read strictly: a wrong value stops the start and says which."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.panel import BASE_DIR


def start_with(tmp_path: Path, **values: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "J5A_DATA_DIR": str(tmp_path / "var"), **values}
    command = [sys.executable, "manage.py", "check"]
    return subprocess.run(command, cwd=BASE_DIR, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("J5A_PORT", "eighty"),
        ("J5A_PORT", "70000"),
        ("J5A_HTTPS", "maybe"),
        ("J5A_MARGIN_GIB", "nan"),
        ("J5A_MARGIN_GIB", "0"),
        ("J5A_RESET_CELSIUS", "80"),
    ],
)
def test_it_refuses_a_wrong_value(tmp_path: Path, name: str, value: str) -> None:
    done = start_with(tmp_path, **{name: value})
    assert done.returncode != 0
    assert name in done.stderr.splitlines()[-1]


def test_it_starts_with_right_values(tmp_path: Path) -> None:
    assert start_with(tmp_path, J5A_PORT="8080", J5A_HTTPS="yes", J5A_MARGIN_GIB="2.5").returncode == 0
