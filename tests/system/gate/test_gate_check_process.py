"""`manage.py gate check` as a shell script calls it: a process of its own, this machine's readings, an exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.panel import BASE_DIR


def gate(data_dir: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "gate", *words],
        cwd=BASE_DIR,
        env={**os.environ, "J5A_DATA_DIR": str(data_dir), "J5A_LOCK_DIR": str(data_dir / "locks"), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with its database."""
    folder = tmp_path_factory.mktemp("var")
    migrated = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0"],
        cwd=BASE_DIR,
        env={**os.environ, "J5A_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert migrated.returncode == 0, migrated.stderr
    return folder


def test_it_ends_with_1_when_blocked_and_prints_all_five_checks(data_dir: Path) -> None:
    done = gate(data_dir, "check", "--model", "tiny", J5A_MARGIN_GIB="1000")
    assert done.returncode == 1
    assert [line[:3] for line in done.stdout.splitlines() if line[1:3] == "/5"] == ["1/5", "2/5", "3/5", "4/5", "5/5"]
    assert "This machine can never start tiny" in done.stdout
    assert "Blocked by memory" in done.stdout
    assert done.stderr == ""


def test_its_exit_code_and_its_json_say_the_same(data_dir: Path) -> None:
    done = gate(data_dir, "check", "--model", "tiny", "--json", J5A_MARGIN_GIB="0.5")
    verdict = json.loads(done.stdout)
    blocking = [result for result in verdict["results"] if result["outcome"] in ("block", "unknown")]
    assert done.returncode == (1 if blocking else 0)
    assert verdict["admitted"] is not bool(blocking)
    memory, _, _, _, lock = verdict["results"]
    assert (memory["outcome"], lock["outcome"]) == ("pass", "pass")


def test_it_ends_with_1_while_the_lock_names_a_live_process(data_dir: Path) -> None:
    lock = data_dir / "held" / "whisper_large.lock"
    lock.parent.mkdir(mode=0o700)
    lock.write_text(f"{os.getpid()}\n")
    done = gate(data_dir, "check", "--model", "tiny", J5A_MARGIN_GIB="0.5", J5A_LOCK_DIR=str(lock.parent))
    assert done.returncode == 1
    assert f"5/5 BLOCK   lock: held by PID {os.getpid()}" in done.stdout
    assert lock.read_text() == f"{os.getpid()}\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("check", "--model", "giant"), "“giant” is neither a model nor a file"),
        ((), "required: action"),
        (("open",), "invalid choice"),
        (("check", "--force"), "unrecognized arguments"),
    ],
)
def test_it_ends_with_2_when_the_question_is_wrong(data_dir: Path, words: tuple[str, ...], says: str) -> None:
    done = gate(data_dir, *words)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_where_the_panel_never_ran_it_makes_the_database_first(tmp_path: Path) -> None:
    done = gate(tmp_path / "new", "check", "--model", "tiny", J5A_MARGIN_GIB="0.5")
    assert done.returncode in (0, 1)
    assert "5/5" in done.stdout
    assert "Preparing the database" in done.stderr
    assert gate(tmp_path / "new", "check", "--model", "tiny", J5A_MARGIN_GIB="0.5").stderr == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [("J5A_MARGIN_GIB", "much"), ("J5A_MARGIN_GIB", "0"), ("J5A_TRIP_CELSIUS", "75"), ("J5A_TRIP_CELSIUS", "nan")],
)
def test_a_limit_that_makes_no_sense_admits_nothing(data_dir: Path, name: str, value: str) -> None:
    done = gate(data_dir, "check", "--model", "tiny", **{name: value})
    assert done.returncode not in (0, 75)
    assert name in done.stderr
