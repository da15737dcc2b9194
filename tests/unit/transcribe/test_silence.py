"""How long an engine may say nothing: 20 of its slowest windows, between a floor and the setting for hung engines."""

from __future__ import annotations

import pytest

from transcribe.silence import silence_limit


@pytest.mark.parametrize(
    ("slowest", "limit"),
    [(None, 1800), (0, 120), (5.9, 120), (6.0, 120), (6.1, 122), (30, 600), (89.9, 1798), (90, 1800), (91, 1800)],
)  # fmt: skip
def test_it_is_learned(slowest: float | None, limit: float) -> None:
    assert silence_limit(slowest, floor_seconds=120, ceiling_seconds=1800) == pytest.approx(limit)


def test_the_setting_for_hung_engines_is_never_passed() -> None:
    assert silence_limit(0.5, floor_seconds=120, ceiling_seconds=20) == 20
