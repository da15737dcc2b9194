"""The lock's place: can it be trusted."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.core.readings import LockState
from j5a_admin.doctor.findings import Status
from j5a_admin.doctor.permissions import judge_lock
from tests.support.builders import lock
from tests.support.doctor_runs import run_doctor


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (LockState.FREE, Status.PASS),
        (LockState.HELD, Status.PASS),
        (LockState.LEGACY, Status.PASS),
        (LockState.STALE, Status.WARN),
        (LockState.REUSED, Status.WARN),
        (LockState.HUNG, Status.WARN),
        (LockState.MALFORMED, Status.FAIL),
    ],
)
def test_it_judges_each_state(state: LockState, status: Status) -> None:
    finding = judge_lock(lock(state))
    assert finding.status is status
    assert bool(finding.advice) is (status is not Status.PASS)


def test_it_fails_whatever_the_state_when_the_place_is_unsafe() -> None:
    assert judge_lock(lock(LockState.FREE, problem="a link")).status is Status.FAIL


def test_it_fails_for_a_real_folder_in_which_everybody_may_write(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    answer = run_doctor(tmp_path, "--json", J5A_LOCK_DIR=str(folder))
    assert answer.code == 1
    assert answer.findings["lock"].status is Status.FAIL
    assert "everybody may write" in answer.findings["lock"].sentence
    assert "J5A_LOCK_DIR" in answer.findings["lock"].advice
