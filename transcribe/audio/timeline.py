"""Where a decoded frame belongs on the timeline. Pure.

The times in a file and the number of samples decoded so far should agree. Where they do not, the file's
times win, so that minute 40 of the transcript is minute 40 in any player.
"""

from __future__ import annotations

from enum import StrEnum

# libavfilter's aresample corrects by filling or trimming from the same difference on (min_hard_comp = 0.1 s):
# less is rounding and jitter of containers that count in milliseconds.
TOLERANCE_SECONDS = 0.1
# After a damaged place the next time is the only truth: correct anything audible.
TOLERANCE_AFTER_LOSS_SECONDS = 0.005
# Times that jump further than this are damage to the clock, not a pause: no silence is made up for them
# (a hostile file could otherwise ask for years of it).
LONGEST_FILL_SECONDS = 1800.0
# Repeated frames overlap by less; a step back by more means that the clock was started anew.
LONGEST_OVERLAP_SECONDS = 5.0
# A week. Longer ones are made to fill the disk: silence packs a thousandfold.
LONGEST_SOUND_SECONDS = 7 * 24 * 3600.0


class Move(StrEnum):
    FOLLOW = "follow"  # straight after what is there
    FILL = "fill"  # silence first, up to the frame's time
    DROP = "drop"  # this time is filled already: leave the frame out
    REBASE = "rebase"  # the clock jumped: count from here anew


def judge_move(*, expected_seconds: float, start_seconds: float | None, after_loss: bool) -> Move:
    """Say how a frame that starts at `start_seconds` joins sound that ends at `expected_seconds`."""
    if start_seconds is None:
        return Move.FOLLOW
    gap_seconds = start_seconds - expected_seconds
    if abs(gap_seconds) <= (TOLERANCE_AFTER_LOSS_SECONDS if after_loss else TOLERANCE_SECONDS):
        return Move.FOLLOW
    if gap_seconds > 0:
        return Move.FILL if gap_seconds <= LONGEST_FILL_SECONDS else Move.REBASE
    if gap_seconds < -LONGEST_OVERLAP_SECONDS:
        return Move.REBASE
    return Move.FOLLOW if -gap_seconds <= TOLERANCE_SECONDS else Move.DROP


__all__ = [
    "LONGEST_FILL_SECONDS",
    "LONGEST_OVERLAP_SECONDS",
    "LONGEST_SOUND_SECONDS",
    "TOLERANCE_SECONDS",
    "Move",
    "judge_move",
]
