from __future__ import annotations

import pytest

from transcribe.states import ENDED, RETRYABLE, TRANSITIONS, WAITING, JobStatus, can_move

S = JobStatus
ALLOWED = {
    (S.QUEUED, S.RUNNING), (S.QUEUED, S.BLOCKED), (S.QUEUED, S.PAUSED), (S.QUEUED, S.CANCELLED), (S.QUEUED, S.FAILED),
    (S.BLOCKED, S.RUNNING), (S.BLOCKED, S.QUEUED), (S.BLOCKED, S.PAUSED), (S.BLOCKED, S.CANCELLED),
    (S.BLOCKED, S.FAILED),
    (S.RUNNING, S.QUEUED), (S.RUNNING, S.BLOCKED), (S.RUNNING, S.PAUSED), (S.RUNNING, S.SUCCEEDED),
    (S.RUNNING, S.INCOMPLETE), (S.RUNNING, S.FAILED), (S.RUNNING, S.CANCELLED),
    (S.PAUSED, S.QUEUED), (S.PAUSED, S.CANCELLED),
    (S.INCOMPLETE, S.QUEUED), (S.FAILED, S.QUEUED), (S.CANCELLED, S.QUEUED),
}  # fmt: skip


@pytest.mark.parametrize("old", JobStatus)
@pytest.mark.parametrize("new", JobStatus)
def test_can_move(old: JobStatus, new: JobStatus) -> None:
    assert can_move(old, new) is ((old, new) in ALLOWED)


def test_every_status_has_its_place() -> None:
    assert set(TRANSITIONS) == set(JobStatus)
    assert ENDED | WAITING | {S.RUNNING, S.PAUSED} == set(JobStatus)
    assert ENDED - {S.SUCCEEDED} == RETRYABLE
