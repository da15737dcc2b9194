"""The language is heard in the first window that has speech: which windows are asked, and whose answer counts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from transcribe.engine.language import Heard, language_choose, silence_end, window_starts

SECOND = 100  # frames
LOUD, QUIET = 1.5, -0.5


def loudness(*stretches: tuple[float, float]) -> NDArray[np.float32]:
    """Of stretches, each a level and its seconds."""
    return np.concatenate([np.full(round(seconds * SECOND), level, np.float32) for level, seconds in stretches])


def starts(*stretches: tuple[float, float]) -> list[float]:
    return [start / SECOND for start in window_starts(loudness(*stretches))]


def heard(language: str, probability: float, no_speech: float) -> Heard:
    return Heard(language=language, probability=probability, no_speech_probability=no_speech)


def test_speech_from_the_beginning_is_asked_as_whisper_asks() -> None:
    assert starts((QUIET, 2), (LOUD, 70), (QUIET, 1)) == [0, 30, 60]


def test_silence_at_the_start_is_passed_over() -> None:
    for seconds in (16, 28, 31, 200):
        assert starts((QUIET, seconds), (LOUD, 5)) == [seconds]


def test_quiet_between_is_passed_over() -> None:
    assert starts((LOUD, 5), (QUIET, 100), (LOUD, 5)) == [0, 105]


def test_a_recording_without_any_sound_is_not_asked() -> None:
    assert starts((QUIET, 40)) == starts((QUIET, 0)) == []


def test_noise_everywhere_is_asked_everywhere() -> None:
    noise = np.linspace(0.4, 0.6, 70 * SECOND, dtype=np.float32)
    assert list(window_starts(noise)) == [0, 3000, 6000]


def test_the_first_sure_window_ends_the_asking() -> None:
    def windows() -> Iterator[Heard]:
        yield heard("nn", 0.46, 0.99)  # figures of noise, then of Spanish, as base gives them
        yield heard("es", 0.90, 0.34)
        raise AssertionError("asked too much")

    assert language_choose(windows()) == heard("es", 0.90, 0.34)


def test_the_surest_of_five_spoken_windows_counts_where_none_is_sure() -> None:
    unsure = [heard("fr", 0.39, 0.35), *(heard("en", 0.2, 0.1) for _ in range(9))]
    asked = iter(unsure)
    assert language_choose(asked) == unsure[0]
    assert len(list(asked)) == len(unsure) - 5


def test_unsure_speech_goes_before_a_surer_silence() -> None:
    assert language_choose([heard("en", 0.58, 0.79), heard("fr", 0.39, 0.35)]) == heard("fr", 0.39, 0.35)


def test_where_no_speech_is_heard_the_answer_is_marked_so() -> None:
    chosen = language_choose([heard("nn", 0.46, 0.99), heard("en", 0.51, 0.82)])
    assert chosen == heard("en", 0.51, 0.82)
    assert not chosen.is_speech


def test_a_language_surer_than_the_silence_is_speech() -> None:
    assert heard("en", 0.94, 0.65).is_speech  # the first 30 s of two_cities.wav


def test_no_window_gives_no_language() -> None:
    assert language_choose([]) is None


def test_reading_begins_where_a_long_silence_ends() -> None:
    assert silence_end(loudness((QUIET, 31), (LOUD, 5))) == 31 * SECOND
    assert silence_end(loudness((QUIET, 15), (LOUD, 5))) == 0  # whisper sees the speech in its first window
    assert silence_end(loudness((QUIET, 40))) == 40 * SECOND


def test_what_is_only_quiet_is_read() -> None:
    assert silence_end(loudness((LOUD - 1.7, 31), (LOUD, 5))) == 0
    assert silence_end(loudness((LOUD - 1.8, 31), (LOUD, 5))) == 31 * SECOND
