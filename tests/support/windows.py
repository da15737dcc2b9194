"""What the attempts of a job tell of its windows: none is decoded again, but for the one in hand at each end."""

from __future__ import annotations

from itertools import pairwise

from tests.support.panel import Panel, until


def decoded_windows(panel: Panel, job_id: int) -> int:
    """Over all attempts."""
    query = "SELECT coalesce(sum(decoded_windows), 0) FROM transcribe_attempt WHERE job_id = ?"
    return int(panel.rows(query, job_id)[0][0])


def until_it_decodes(panel: Panel, job_id: int) -> None:
    """Until the attempt in hand is told to have decoded a window."""
    query = "SELECT decoded_windows FROM transcribe_attempt WHERE job_id = ? AND ended_at IS NULL"
    until(lambda: any(row[0] for row in panel.rows(query, job_id)), seconds=120, what="a window is decoded")


def assert_windows_taken_over(panel: Panel, job_id: int, undisturbed: int | None = None) -> None:
    """For a job of one chunk that has succeeded after at least one try that decoded something and was broken off.

    `undisturbed`: a job that has read the same recording in one go.
    """
    tries = decoding_tries(panel, job_id)
    told = [tuple(row) for row in tries]
    assert len(tries) >= 2, told
    for before, after in pairwise(tries):
        assert after["replayed"] >= before["replayed"] + before["decoded"], told
    if undisturbed is not None:
        (whole,) = decoding_tries(panel, undisturbed)
        assert tries[-1]["replayed"] + tries[-1]["decoded"] == whole["decoded"], told
        assert sum(row["decoded"] for row in tries) <= whole["decoded"] + len(tries) - 1, told


def decoding_tries(panel: Panel, job_id: int) -> list:  # type: ignore[type-arg]
    query = (
        "SELECT number, outcome, decoded_windows AS decoded, replayed_windows AS replayed FROM transcribe_attempt"
        " WHERE job_id = ? AND decoded_windows + replayed_windows > 0 ORDER BY number"
    )
    return panel.rows(query, job_id)
