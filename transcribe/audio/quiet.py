"""The best moment to cut near a mark: the middle of the longest pause there. Imports pydub: children only."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from transcribe.audio.pcm_format import BYTES_PER_SAMPLE, SAMPLE_RATE

with warnings.catch_warnings():
    # pydub 0.25.1 looks for an ffmpeg it does not need for raw PCM, and imports audioop (in Python until
    # 3.12).
    warnings.simplefilter("ignore")
    from pydub import AudioSegment

# 40 s around the mark hold several pauses between sentences; 1.3 MB in memory.
SEARCH_SECONDS = 20
# Short enough to place a pause, long enough to hold a period of a deep voice (100 Hz).
STEP_MILLISECONDS = 10
# Closures inside words (the silence before p, t, k) are shorter.
SHORTEST_PAUSE_MILLISECONDS = 150
# Longer than this, a pause is no better for being longer; the one nearer to the mark is.
LONG_ENOUGH_MILLISECONDS = 1000
# How far above the floor (the quietest tenth of the window) still counts as a pause, tried in turn: 6, 10,
# 14 dB …
LOUDNESS_FACTORS = (2.0, 3.2, 5.0, 8.0)
# Never under this RMS: dither and an idle microphone (about −66 dB below full scale).
QUIET_RMS = 16


@dataclass(frozen=True)
class Pause:
    """Steps [start, end) of the window, all of them quiet."""

    start_step: int
    end_step: int

    @property
    def milliseconds(self) -> int:
        return (self.end_step - self.start_step) * STEP_MILLISECONDS

    @property
    def middle_step(self) -> float:
        return (self.start_step + self.end_step) / 2


def quiet_point(path: Path, mark_sample: int) -> int:
    """Return the sample to cut at near `mark_sample` in prepared PCM; reads only the window around it."""
    first_sample = max(0, mark_sample - SEARCH_SECONDS * SAMPLE_RATE)
    levels = _levels(_read_window(path, first_sample, mark_sample + SEARCH_SECONDS * SAMPLE_RATE))
    samples_per_step = SAMPLE_RATE * STEP_MILLISECONDS // 1000
    mark_step = (mark_sample - first_sample) / samples_per_step
    return first_sample + round(quietest_step(levels, mark_step) * samples_per_step)


def quietest_step(levels: list[int], mark_step: float) -> float:
    """Choose among RMS `levels`, one a step: middle of the best pause, else of the quietest 150 ms. Pure."""
    for threshold in _thresholds(levels):
        pauses = _pauses(levels, threshold)
        if pauses:
            return max(pauses, key=lambda pause: _worth(pause, mark_step)).middle_step
    return _quietest_stretch(levels, mark_step)


def _read_window(path: Path, start_sample: int, end_sample: int) -> AudioSegment:
    with path.open("rb") as file:
        file.seek(start_sample * BYTES_PER_SAMPLE)
        raw = file.read((end_sample - start_sample) * BYTES_PER_SAMPLE)
    return AudioSegment(data=raw, sample_width=BYTES_PER_SAMPLE, frame_rate=SAMPLE_RATE, channels=1)


def _levels(window: AudioSegment) -> list[int]:
    """RMS of every whole step."""
    whole = len(window) - len(window) % STEP_MILLISECONDS
    return [window[start : start + STEP_MILLISECONDS].rms for start in range(0, whole, STEP_MILLISECONDS)]


def _thresholds(levels: list[int]) -> list[float]:
    """Levels under which a step is quiet, from strict to lenient, never reaching that of the louder half.

    Silence comes first: where pauses fill less than a tenth of the window, the floor is no pause but speech.
    """
    ordered = sorted(levels)
    floor, median = ordered[len(ordered) // 10], ordered[len(ordered) // 2]
    lenient = [QUIET_RMS, *(max(QUIET_RMS, floor * factor) for factor in LOUDNESS_FACTORS)]
    return [threshold for threshold in lenient if threshold <= max(QUIET_RMS, median)]


def _pauses(levels: list[int], threshold: float) -> list[Pause]:
    pauses = []
    for quiet, steps in groupby(enumerate(level <= threshold for level in levels), key=itemgetter(1)):
        if quiet:
            numbers = [number for number, _ in steps]
            pauses.append(Pause(numbers[0], numbers[-1] + 1))
    return [pause for pause in pauses if pause.milliseconds >= SHORTEST_PAUSE_MILLISECONDS]


def _worth(pause: Pause, mark_step: float) -> tuple[int, float]:
    return min(pause.milliseconds, LONG_ENOUGH_MILLISECONDS), -abs(pause.middle_step - mark_step)


def _quietest_stretch(levels: list[int], mark_step: float) -> float:
    """Nobody pauses (music, a crowd): middle of the 150 ms with the least energy, of equals the nearest."""
    width = SHORTEST_PAUSE_MILLISECONDS // STEP_MILLISECONDS
    starts = range(max(1, len(levels) - width + 1))
    energies = [sum(level * level for level in levels[start : start + width]) for start in starts]
    best = min(starts, key=lambda start: (energies[start], abs(start + width / 2 - mark_step)))
    return best + width / 2


__all__ = ["SEARCH_SECONDS", "quiet_point", "quietest_step"]
