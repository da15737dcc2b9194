"""Where sound belongs on the timeline: one rule, for the probe and for the preparation. Pure.

Everything that is decoded is kept. A gap in the file's clock becomes silence where something confirms it, so
that minute 40 of the transcript is minute 40 in any player; anything else follows straight on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# libavfilter's aresample corrects from the same difference on (min_hard_comp = 0.1 s): less is rounding and
# jitter of containers that count in milliseconds.
TOLERANCE_SECONDS = 0.1
# After a damaged place the next time is the only truth: correct anything audible.
TOLERANCE_AFTER_LOSS_SECONDS = 0.005
# A clock that is behind by less will catch up; by more, it was started again.
LONGEST_JITTER_SECONDS = 0.5
# A pause of a talk or a lost packet needs no proof.
LONGEST_PLAIN_GAP_SECONDS = 10.0
# Without proof for or against it, more is damage to the clock (a hostile file could ask for years of silence).
LONGEST_FILL_SECONDS = 1800.0
# How much of a gap other tracks or lost bytes must cover to confirm it.
CONFIRMING_SHARE = 0.5
# A week. Longer ones are made to fill the disk: silence packs a thousandfold.
LONGEST_SOUND_SECONDS = 7 * 24 * 3600.0


class Move(StrEnum):
    FOLLOW = "follow"  # straight after what is there
    FILL = "fill"  # silence first, up to its time
    REBASE = "rebase"  # the clock jumped: count from here


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What speaks for a gap: what the file holds for that time, and the length that it claims.

    `stated_seconds_left`: from the gap's beginning to the end that the header states; None when it states none.
    `clock_may_jump`: the format joins clocks by design (transport streams).
    """

    after_loss: bool = False
    others_seconds: float = 0.0
    lost_bytes_seconds: float = 0.0
    stated_seconds_left: float | None = None
    clock_may_jump: bool = False

    def confirm(self, gap_seconds: float) -> bool:
        covered = max(self.others_seconds, self.lost_bytes_seconds)
        if gap_seconds <= LONGEST_PLAIN_GAP_SECONDS or covered >= CONFIRMING_SHARE * gap_seconds:
            return True
        if self.stated_seconds_left is not None:
            return gap_seconds <= self.stated_seconds_left + TOLERANCE_SECONDS
        return not self.clock_may_jump and gap_seconds <= LONGEST_FILL_SECONDS


def judge_move(*, expected_seconds: float, start_seconds: float | None, evidence: Evidence) -> Move:
    """Say how sound that starts at `start_seconds` joins sound that ends at `expected_seconds`."""
    if start_seconds is None:
        return Move.FOLLOW
    gap_seconds = start_seconds - expected_seconds
    if gap_seconds < -LONGEST_JITTER_SECONDS:
        return Move.REBASE
    if gap_seconds <= (TOLERANCE_AFTER_LOSS_SECONDS if evidence.after_loss else TOLERANCE_SECONDS):
        return Move.FOLLOW
    return Move.FILL if evidence.confirm(gap_seconds) else Move.REBASE


@dataclass(kw_only=True)
class Timeline:
    """The end of the sound so far, and how the file's clock relates to it."""

    end_seconds: float = 0.0
    rebase_seconds: float = 0.0

    def begin_part(self) -> None:
        """A joined recording counts from its own zero."""
        self.rebase_seconds = self.end_seconds

    def place(self, start_seconds: float | None, evidence: Evidence) -> tuple[Move, float]:
        """How sound joins, and where it begins; the clock's jumps are taken over."""
        if start_seconds is None:
            return Move.FOLLOW, self.end_seconds
        start = start_seconds + self.rebase_seconds
        move = judge_move(expected_seconds=self.end_seconds, start_seconds=start, evidence=evidence)
        if move is Move.FILL:
            self.end_seconds = start
        elif move is Move.REBASE:
            self.rebase_seconds += self.end_seconds - start
        return move, self.end_seconds

    def catch_up(self, start_seconds: float | None) -> None:
        """For what is not decoded: packets state their length in whole milliseconds, their times tell better."""
        if start_seconds is not None:
            self.end_seconds = max(self.end_seconds, start_seconds + self.rebase_seconds)

    def advance(self, seconds: float) -> None:
        self.end_seconds += seconds


__all__ = [
    "LONGEST_SOUND_SECONDS",
    "Evidence",
    "Move",
    "Timeline",
    "judge_move",
]
