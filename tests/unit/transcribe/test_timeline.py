"""How sound joins the sound before it, as a table around every tolerance, and what confirms a gap."""

from __future__ import annotations

import pytest

from transcribe.audio.timeline import Evidence, Move, Timeline, judge_move

EXPECTED = 100.0


def move(gap_seconds: float, **evidence: float | None) -> Move:
    known = Evidence(**evidence)  # type: ignore[arg-type]
    return judge_move(expected_seconds=EXPECTED, start_seconds=EXPECTED + gap_seconds, evidence=known)


@pytest.mark.parametrize(
    ("gap_seconds", "after_loss", "expected"),
    [
        (0.0, False, Move.FOLLOW),
        (0.09, False, Move.FOLLOW),
        (0.11, False, Move.FILL),
        (-0.11, False, Move.FOLLOW),
        (0.004, True, Move.FOLLOW),
        (0.006, True, Move.FILL),
        (-0.11, True, Move.FOLLOW),
        (1800.0, False, Move.FILL),
        (1800.1, False, Move.REBASE),
        (1800.1, True, Move.REBASE),
        (-0.49, False, Move.FOLLOW),
        (-0.51, False, Move.REBASE),
        (-100.0, True, Move.REBASE),
    ],
)
def test_judge_move(gap_seconds: float, after_loss: bool, expected: Move) -> None:
    assert move(gap_seconds, after_loss=after_loss) is expected


@pytest.mark.parametrize("after_loss", [False, True])
def test_a_frame_without_a_time_follows(after_loss: bool) -> None:
    evidence = Evidence(after_loss=after_loss)
    assert judge_move(expected_seconds=EXPECTED, start_seconds=None, evidence=evidence) is Move.FOLLOW


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ({"clock_may_jump": True}, Move.REBASE),
        ({"clock_may_jump": True, "others_seconds": 240}, Move.FILL),
        ({"clock_may_jump": True, "others_seconds": 239}, Move.REBASE),
        ({"clock_may_jump": True, "lost_bytes_seconds": 240.0}, Move.FILL),
        ({"stated_seconds_left": 480.0}, Move.FILL),
        ({"stated_seconds_left": 479.0}, Move.REBASE),
        ({"stated_seconds_left": 0.0, "others_seconds": 240}, Move.FILL),
    ],
)
def test_a_gap_of_eight_minutes_needs_to_be_confirmed(evidence: dict[str, float], expected: Move) -> None:
    assert move(480.0, **evidence) is expected


@pytest.mark.parametrize(("gap_seconds", "expected"), [(10.0, Move.FILL), (10.1, Move.REBASE)])
def test_a_pause_needs_no_proof(gap_seconds: float, expected: Move) -> None:
    assert move(gap_seconds, clock_may_jump=True) is expected


def test_a_header_confirms_more_than_is_believed_without_one() -> None:
    assert move(1900.0, stated_seconds_left=1911.0) is Move.FILL


def test_after_a_jump_it_counts_on_from_there() -> None:
    timeline = Timeline(end_seconds=12.0)

    assert timeline.place(0.0, Evidence()) == (Move.REBASE, 12.0)
    timeline.advance(4.0)
    assert timeline.place(4.0, Evidence()) == (Move.FOLLOW, 16.0)
    assert timeline.place(7.0, Evidence()) == (Move.FILL, 19.0)
