"""How a frame joins the sound before it, as a table around every tolerance."""

from __future__ import annotations

import pytest

from transcribe.audio.timeline import Move, judge_move

EXPECTED = 100.0


@pytest.mark.parametrize(
    ("gap_seconds", "after_loss", "move"),
    [
        (0.0, False, Move.FOLLOW),
        (0.09, False, Move.FOLLOW),
        (0.11, False, Move.FILL),
        (-0.09, False, Move.FOLLOW),
        (-0.11, False, Move.DROP),
        (0.004, True, Move.FOLLOW),
        (0.006, True, Move.FILL),
        (-0.006, True, Move.FOLLOW),
        (-0.09, True, Move.FOLLOW),
        (-0.11, True, Move.DROP),
        (1800.0, False, Move.FILL),
        (1800.1, False, Move.REBASE),
        (1800.1, True, Move.REBASE),
        (-5.0, False, Move.DROP),
        (-5.1, False, Move.REBASE),
        (-100.0, True, Move.REBASE),
    ],
)
def test_judge_move(gap_seconds: float, after_loss: bool, move: Move) -> None:
    start = EXPECTED + gap_seconds
    assert judge_move(expected_seconds=EXPECTED, start_seconds=start, after_loss=after_loss) is move


@pytest.mark.parametrize("after_loss", [False, True])
def test_a_frame_without_a_time_follows(after_loss: bool) -> None:
    assert judge_move(expected_seconds=EXPECTED, start_seconds=None, after_loss=after_loss) is Move.FOLLOW
