from __future__ import annotations

import pytest

from gate.core.checks import check_lock
from gate.core.readings import LockState
from gate.core.records import LockRecord
from gate.core.verdict import Outcome
from tests.support.builders import lock


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (LockState.FREE, Outcome.PASS),
        (LockState.HELD, Outcome.BLOCK),
        (LockState.LEGACY, Outcome.BLOCK),
        (LockState.HUNG, Outcome.BLOCK),
        (LockState.STALE, Outcome.WARN),
        (LockState.REUSED, Outcome.WARN),
        (LockState.MALFORMED, Outcome.UNKNOWN),
    ],
)
def test_each_state_has_its_outcome(state: LockState, outcome: Outcome) -> None:
    assert check_lock(lock(state)).outcome is outcome


def test_a_lock_of_our_own_passes() -> None:
    result = check_lock(lock(LockState.HELD, ours=True))
    assert (result.outcome, result.summary) == (Outcome.PASS, "held by this run")


def test_a_lock_of_our_own_that_was_taken_from_us_is_unknown() -> None:
    result = check_lock(lock(LockState.HELD, ours=True, problem="the lock file was removed"))
    assert result.outcome is Outcome.UNKNOWN


def test_a_lock_that_cannot_be_trusted_is_unknown() -> None:
    assert check_lock(lock(LockState.FREE, problem="symlink")).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("state", "unblock"),
    [
        (LockState.FREE, ""),
        (LockState.HELD, "Starts when the holder has ended."),
        (LockState.LEGACY, "Starts when the holder has ended."),
        (LockState.HUNG, "Its holder shows no sign of life: look at the job, and stop it if it hangs."),
        (LockState.STALE, "The next start takes it over."),
        (LockState.REUSED, "The next start takes it over."),
        (LockState.MALFORMED, "See that no Whisper runs here, then clear it with `manage.py gate lock clear-stale`."),
    ],
)
def test_each_state_says_what_would_unblock_it(state: LockState, unblock: str) -> None:
    reading = lock(state)
    assert check_lock(reading).unblock == unblock.format(path=reading.path)


RECORD = LockRecord(pid=42, host="mini")


def test_an_older_scripts_lock_says_how_to_look_and_what_to_do_when_it_is_something_else() -> None:
    unblock = check_lock(lock(LockState.LEGACY, held_by_pid=42)).unblock
    assert unblock == (
        "Starts when the holder has ended. See what it is with `ps -fp 42`. "
        "If that runs no Whisper, its number was given away: then `rm /tmp/whisper_large.lock`."
    )


def test_a_process_of_ours_that_let_go_of_the_kernel_lock_is_only_to_be_looked_at() -> None:
    unblock = check_lock(lock(LockState.LEGACY, held_by_pid=42, holder=RECORD)).unblock
    assert unblock == "Starts when the holder has ended. See what it is with `ps -fp 42`."


@pytest.mark.parametrize("state", [LockState.FREE, LockState.STALE, LockState.REUSED])
def test_a_lock_that_nobody_holds_and_nobody_can_take_blocks(state: LockState) -> None:
    result = check_lock(lock(state, unwritable="the disk is full"))
    assert (result.outcome, result.reading) == (Outcome.BLOCK, 0)
    assert result.summary == "it cannot be taken: the disk is full"
    assert "J5A_LOCK_DIR" in result.unblock


def test_a_full_disk_is_no_matter_to_who_holds_it_already() -> None:
    assert check_lock(lock(LockState.HELD, ours=True, unwritable="full")).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("state", "ours", "holders"),
    [
        (LockState.FREE, False, 0),
        (LockState.STALE, False, 0),
        (LockState.HELD, False, 1),
        (LockState.HELD, True, 0),
        (LockState.MALFORMED, False, 1),
    ],
)
def test_its_reading_is_the_number_of_other_holders(state: LockState, ours: bool, holders: int) -> None:
    result = check_lock(lock(state, ours=ours))
    assert (result.reading, result.limit, result.unit) == (holders, 0, "holders")
