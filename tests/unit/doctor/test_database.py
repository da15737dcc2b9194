"""The database: not there yet, behind the program, up to date; looking makes none."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from j5a_admin.doctor.configuration import judge_database
from j5a_admin.doctor.findings import Status
from tests.support.doctor_runs import migrate, run_doctor

FILE = Path("/somewhere/j5a.sqlite3")


@pytest.mark.parametrize(
    ("steps", "status", "says"),
    [
        (None, Status.WARN, "There is none yet"),
        (0, Status.PASS, "up to date"),
        (1, Status.WARN, "1 step is to do"),
        (12, Status.WARN, "12 steps are to do"),
    ],
)
def test_it_judges_the_steps_to_do(steps: int | None, status: Status, says: str) -> None:
    finding = judge_database(FILE, steps)
    assert finding.status is status
    assert says in finding.sentence
    assert ("make run" in finding.advice) is (status is Status.WARN)


def test_it_runs_before_there_is_one_and_makes_none(tmp_path: Path) -> None:
    answer = run_doctor(tmp_path, "--json", J5A_DEFAULT_MODEL="registered:mine")
    assert answer.err == ""
    assert answer.findings["database"].status is Status.WARN
    assert answer.findings["memory for tiny"].status is Status.PASS
    assert answer.findings["default model"].sentence == (
        "registered:mine cannot be looked up before there is a database."
    )
    assert not (tmp_path / "j5a.sqlite3").exists()


def test_it_finds_a_real_one_up_to_date_and_one_that_is_behind(tmp_path: Path) -> None:
    migrate(tmp_path)
    assert run_doctor(tmp_path, "--json").findings["database"].status is Status.PASS
    with sqlite3.connect(tmp_path / "j5a.sqlite3") as database:
        database.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    database.close()
    behind = run_doctor(tmp_path, "--json").findings["database"]
    assert (behind.status, "1 step is to do" in behind.sentence) == (Status.WARN, True)


def test_a_file_that_is_no_database_becomes_a_line(tmp_path: Path) -> None:
    (tmp_path / "j5a.sqlite3").write_bytes(b"no database" * 1000)
    (tmp_path / "j5a.sqlite3").chmod(0o600)
    answer = run_doctor(tmp_path, "--json")
    assert answer.code == 1
    assert answer.err == ""
    assert answer.findings["database"].status is Status.FAIL
    assert "file is not a database" in answer.findings["database"].sentence
    assert answer.findings["memory for tiny"].status is Status.PASS
