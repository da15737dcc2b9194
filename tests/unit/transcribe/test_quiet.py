"""The place to cut near a mark: in the longest pause, in its middle; never further away than 20 s."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from transcribe.audio.quiet import quiet_point, quietest_step

RATE = 16_000
MARK_SECONDS = 30


def noise(seconds: float, level: float = 0.2) -> NDArray[np.float32]:
    sound = np.random.default_rng(1).normal(0.0, level, round(seconds * RATE))
    return np.clip(sound, -1, 1).astype(np.float32)


def cut_seconds(path: Path, sound: NDArray[np.float32]) -> float:
    (sound * 32767).astype("<i2").tofile(path)
    return quiet_point(path, MARK_SECONDS * RATE) / RATE


def with_pauses(*pauses: tuple[float, float], hiss: float = 0.0) -> NDArray[np.float32]:
    """A minute of noise; each pause (start, length) holds only hiss."""
    sound = noise(60)
    for start, length in pauses:
        sound[round(start * RATE) : round((start + length) * RATE)] = noise(length, hiss) if hiss else 0.0
    return sound


@pytest.mark.parametrize("start", [10.5, 25.0, 29.8, 40.0, 48.5])
def test_it_cuts_in_the_middle_of_the_pause(tmp_path: Path, start: float) -> None:
    assert cut_seconds(tmp_path / "a", with_pauses((start, 0.6))) == pytest.approx(start + 0.3, abs=0.001)


def test_it_prefers_the_longer_pause(tmp_path: Path) -> None:
    assert cut_seconds(tmp_path / "a", with_pauses((29.0, 0.2), (38.0, 0.8))) == pytest.approx(38.4, abs=0.02)


@pytest.mark.parametrize(("pauses", "cut"), [([(12.0, 4.0), (33.0, 1.2)], 33.6), ([(18.0, 1.2), (46.0, 2.0)], 18.6)])
def test_of_two_long_pauses_the_nearer_is_taken(tmp_path: Path, pauses: list[tuple[float, float]], cut: float) -> None:
    assert cut_seconds(tmp_path / "a", with_pauses(*pauses)) == pytest.approx(cut, abs=0.02)


def test_it_finds_the_one_pause_with_hiss(tmp_path: Path) -> None:
    assert 35.0 < cut_seconds(tmp_path / "a", with_pauses((35.0, 0.5), hiss=0.01)) < 35.5


def test_it_prefers_the_longer_of_many_pauses_with_hiss(tmp_path: Path) -> None:
    pauses = [(start + 0.5, 0.9 if start == 36 else 0.4) for start in range(12, 48)]
    assert cut_seconds(tmp_path / "a", with_pauses(*pauses, hiss=0.01)) == pytest.approx(36.95, abs=0.03)


def test_a_closure_inside_a_word_is_no_pause(tmp_path: Path) -> None:
    sound = with_pauses((30.0, 0.1), (41.0, 0.3))
    assert cut_seconds(tmp_path / "a", sound) == pytest.approx(41.15, abs=0.02)


def test_without_a_pause_it_cuts_where_it_is_quietest(tmp_path: Path) -> None:
    sound = noise(60)
    sound[34 * RATE : 35 * RATE] *= 0.8
    assert 34 <= cut_seconds(tmp_path / "a", sound) <= 35


def test_in_silence_it_cuts_near_the_mark(tmp_path: Path) -> None:
    assert cut_seconds(tmp_path / "a", np.zeros(60 * RATE, np.float32)) == pytest.approx(MARK_SECONDS, abs=0.1)


def test_it_reads_only_what_lies_within_twenty_seconds(tmp_path: Path) -> None:
    sound = with_pauses((8.0, 1.5), (51.0, 1.5), (20.0, 0.2))
    assert cut_seconds(tmp_path / "a", sound) == pytest.approx(20.1, abs=0.02)


def test_it_stays_inside_a_recording_that_ends_soon(tmp_path: Path) -> None:
    cut = cut_seconds(tmp_path / "a", noise(31))
    assert 10 < cut < 31


def test_equally_quiet_steps_are_cut_at_the_nearest() -> None:
    assert quietest_step([500] * 400, mark_step=200.0) == pytest.approx(200.0, abs=1)


@pytest.mark.parametrize(("steps", "middle"), [(15, 57.5), (14, 307.5)])
def test_a_pause_begins_at_150_milliseconds(steps: int, middle: float) -> None:
    levels = [500] * 400
    levels[50 : 50 + steps] = [0] * steps
    levels[300:315] = [0] * 15
    assert quietest_step(levels, mark_step=50.0) == middle


def test_without_a_pause_the_very_end_can_be_quietest() -> None:
    assert quietest_step([500] * 100 + [400] * 15, mark_step=0.0) == 107.5
