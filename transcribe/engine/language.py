"""Which language is spoken: heard in the first window that has speech, not in the silence before it. No torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transcribe.engine.protocol import SURE_PROBABILITY

WINDOW_FRAMES = 3000  # whisper/audio.py: N_FRAMES, 30 s
# Whisper's log-mel has 4 units for 160 dB (log_mel_spectrogram: log10, plus 4, by 4): 50 dB below the loudest is quiet.
QUIET_BELOW_LOUDEST = 1.25
NO_SPEECH_PROBABILITY = 0.6  # whisper/transcribe.py: no_speech_threshold
SPOKEN_WINDOWS_ASKED = 5  # a recording that mixes languages gets no surer by asking more


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What the model says of one window."""

    language: str
    probability: float
    no_speech_probability: float

    @property
    def is_speech(self) -> bool:
        """Whisper calls clear speech with a slow start "no speech", too: a language that is surer than that counts."""
        return self.no_speech_probability <= max(NO_SPEECH_PROBABILITY, self.probability)


def window_starts(loudness: NDArray[np.float32]) -> Iterator[int]:
    """Where to listen, in frames: window after window, those without sound left out.

    A window that begins with half a window of quiet is moved to its first sound.

    Args:
        loudness: of each frame, in units of the log-mel spectrogram. shape (n_frames,)
    """
    if not loudness.size:
        return
    quiet = max(float(loudness.max()) - QUIET_BELOW_LOUDEST, float(loudness.min()))
    sounding = np.flatnonzero(loudness > quiet)
    at = 0
    while (next_index := int(np.searchsorted(sounding, at))) < sounding.size:
        first = int(sounding[next_index])
        at = first if first - at > WINDOW_FRAMES // 2 else at
        yield at
        at += WINDOW_FRAMES


def language_choose(windows: Iterable[Heard]) -> Heard | None:
    """The first window of sure speech; else the surest of a few with speech; else, of those without. None of none."""
    heard: list[Heard] = []
    for window in windows:
        if window.is_speech and window.probability >= SURE_PROBABILITY:
            return window
        heard.append(window)
        if sum(each.is_speech for each in heard) == SPOKEN_WINDOWS_ASKED:
            break
    return max(heard, key=lambda each: (each.is_speech, each.probability), default=None)


__all__ = ["Heard", "language_choose", "window_starts"]
