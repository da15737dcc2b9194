"""Where a long recording is cut, as a table around the 15 minutes; the quiet point is handed in."""

from __future__ import annotations

import pytest

from transcribe.audio.chunking import Span, plan_spans

RATE = 16_000
MINUTE = 60 * RATE


def at_mark(mark: int) -> int:
    return mark


@pytest.mark.parametrize(
    ("total_samples", "chunks"),
    [
        (1, 1),
        (15 * MINUTE - 1, 1),
        (15 * MINUTE, 1),
        (15 * MINUTE + 1, 2),
        (20 * MINUTE, 2),
        (25 * MINUTE, 2),
        (25 * MINUTE + 1, 3),
        (180 * MINUTE, 18),
    ],
)
def test_up_to_fifteen_minutes_is_one_chunk_and_longer_is_cut_at_about_ten(total_samples: int, chunks: int) -> None:
    assert len(plan_spans(total_samples, at_mark)) == chunks


@pytest.mark.parametrize("shift_seconds", [-20, -0.3, 0, 7.77, 20])
@pytest.mark.parametrize("minutes", [15, 15.001, 24.9, 25.1, 61, 180])
def test_the_chunks_tile_the_sound_exactly(minutes: float, shift_seconds: float) -> None:
    total_samples = round(minutes * MINUTE)
    spans = plan_spans(total_samples, lambda mark: mark + round(shift_seconds * RATE))
    assert spans[0].start_sample == 0
    assert spans[-1].end_sample == total_samples
    assert [span.end_sample for span in spans[:-1]] == [span.start_sample for span in spans[1:]]
    assert all(span.samples >= 4.5 * MINUTE for span in spans)
    assert all(span.samples <= 15 * MINUTE for span in spans)


def test_the_next_mark_counts_from_the_last_cut() -> None:
    asked: list[int] = []

    def ten_seconds_early(mark: int) -> int:
        asked.append(mark)
        return mark - 10 * RATE

    plan_spans(40 * MINUTE, ten_seconds_early)
    assert asked == [10 * MINUTE, 20 * MINUTE - 10 * RATE, 30 * MINUTE - 20 * RATE]


def test_times_are_those_of_the_samples() -> None:
    span = Span(RATE, 3 * RATE // 2)
    assert (span.start_seconds, span.end_seconds, span.samples) == (1.0, 1.5, RATE // 2)


@pytest.mark.parametrize("total_samples", [0, -1])
def test_there_is_nothing_to_cut_in_nothing(total_samples: int) -> None:
    with pytest.raises(ValueError, match="nothing to cut"):
        plan_spans(total_samples, at_mark)


@pytest.mark.parametrize("cut", [0, -1, 16 * MINUTE, 17 * MINUTE])
def test_a_quiet_point_outside_the_sound_is_refused(cut: int) -> None:
    with pytest.raises(ValueError, match="is not between"):
        plan_spans(16 * MINUTE, lambda _: cut)
