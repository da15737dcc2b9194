"""How much of a recording its transcript covers: a missing chunk is never "complete"."""

from __future__ import annotations

import pytest

from transcribe.transcript import Transcript


@pytest.mark.parametrize(
    ("duration_seconds", "covered_seconds", "coverage", "is_complete"),
    [
        (100.0, 0.0, 0.0, False),
        (100.0, 99.9, 0.999, False),
        (100.0, 100.0, 1.0, True),
        (100.0, 100.1, 1.0, True),
        (0.0, 0.0, 1.0, True),
    ],
)
def test_it_is_complete_only_when_all_was_transcribed(
    duration_seconds: float, covered_seconds: float, coverage: float, is_complete: bool
) -> None:
    transcript = Transcript(
        language="en", segments=(), duration_seconds=duration_seconds, covered_seconds=covered_seconds
    )
    assert transcript.coverage == pytest.approx(coverage)
    assert transcript.is_complete is is_complete
