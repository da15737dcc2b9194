"""Folders and files of the panel: who may read them and who may write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from j5a_admin.doctor.findings import Status
from j5a_admin.doctor.permissions import (
    PathFacts,
    judge_data_directory,
    judge_models_directory,
    judge_private_file,
    read_path,
)
from tests.support.doctor_runs import run_doctor

ME, ANOTHER = 1000, 1001
THERE = Path("/somewhere/a folder")


@pytest.mark.parametrize(
    ("mode", "writable", "status", "advice"),
    [
        (0o700, True, Status.PASS, ""),
        (0o750, True, Status.WARN, "Run `chmod 700 '/somewhere/a folder'`."),
        (0o701, True, Status.WARN, "Run `chmod 700 '/somewhere/a folder'`."),
        (0o777, True, Status.FAIL, "Run `chmod 700 '/somewhere/a folder'`."),
        (0o700, False, Status.FAIL, "Run `chown -R 1000 '/somewhere/a folder'` as root, or set J5A_DATA_DIR."),
        (None, False, Status.FAIL, "Run `make run` once, or mend J5A_DATA_DIR."),
    ],
)
def test_it_judges_the_data_directory(mode: int | None, writable: bool, status: Status, advice: str) -> None:
    finding = judge_data_directory(PathFacts(path=THERE, mode=mode, owner_id=ME, writable=writable), ME)
    assert (finding.status, finding.advice) == (status, advice)


@pytest.mark.parametrize(
    ("mode", "owner_id", "status"),
    [
        (0o600, ME, Status.PASS),
        (0o400, ME, Status.PASS),
        (0o600, 0, Status.PASS),
        (0o640, ME, Status.FAIL),
        (0o604, ME, Status.FAIL),
        (0o600, ANOTHER, Status.FAIL),
        (None, 0, Status.PASS),
    ],
)
def test_it_judges_a_private_file(mode: int | None, owner_id: int, status: Status) -> None:
    assert judge_private_file(PathFacts(path=THERE, mode=mode, owner_id=owner_id), ME).status is status


@pytest.mark.parametrize(
    ("mode", "writable", "status"),
    [
        (0o755, True, Status.PASS),
        (0o755, False, Status.WARN),
        (None, True, Status.PASS),
        (None, False, Status.FAIL),
    ],
)
def test_it_judges_the_models_directory(mode: int | None, writable: bool, status: Status) -> None:
    assert judge_models_directory(PathFacts(path=THERE, mode=mode, writable=writable)).status is status


def test_it_reads_what_is_there(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch(mode=0o640)
    file.chmod(0o640)
    facts = read_path(file)
    assert (facts.mode, facts.owner_id, facts.writable) == (0o640, file.stat().st_uid, True)
    assert read_path(tmp_path / "no" / "thing") == PathFacts(path=tmp_path / "no" / "thing", mode=None, writable=True)


@pytest.mark.parametrize("name", ["secret_key", "first_password", "j5a.sqlite3"])
def test_it_fails_for_a_real_file_that_others_may_read(tmp_path: Path, name: str) -> None:
    run_doctor(tmp_path)  # makes the secret key
    (tmp_path / name).touch()
    (tmp_path / name).chmod(0o644)
    answer = run_doctor(tmp_path, "--json")
    finding = answer.findings[f"file {name}"]
    assert answer.code == 1
    assert finding.status is Status.FAIL
    assert "(mode 644)" in finding.sentence
    assert finding.advice == f"Run `chmod 600 {tmp_path / name}`."
