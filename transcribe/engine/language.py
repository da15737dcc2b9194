"""Where the sound begins, and which language is spoken: heard in the first window that has speech. No torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transcribe.engine.protocol import SURE_PROBABILITY

WINDOW_FRAMES = 3000  # whisper/audio.py: N_FRAMES, 30 s
# Whisper's log-mel has 4 units for 160 dB (log_mel_spectrogram: log10, plus 4, by 4): 50 dB below the loudest is quiet.
QUIET_BELOW_LOUDEST = 1.25
# It cuts off 80 dB below the loudest (2 units), so that the model can see nothing of what is quieter. 70 dB: coders
# leave traces.
SILENT_BELOW_LOUDEST = 1.75
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
    sounding = _sounding(loudness, QUIET_BELOW_LOUDEST)
    at = 0
    while (next_index := int(np.searchsorted(sounding, at))) < sounding.size:
        first = int(sounding[next_index])
        at = first if first - at > WINDOW_FRAMES // 2 else at
        yield at
        at += WINDOW_FRAMES


def silence_end(loudness: NDArray[np.float32]) -> int:
    """The frame to read from: 0, or the first sound after more than half a window of silence; its length if none.

    Whisper makes up text for such silence, and goes on making it up in the speech that follows.
    """
    sounding = _sounding(loudness, SILENT_BELOW_LOUDEST)
    first = int(sounding[0]) if sounding.size else loudness.size
    return first if first > WINDOW_FRAMES // 2 else 0


def _sounding(loudness: NDArray[np.float32], below_loudest: float) -> NDArray[np.intp]:
    """The frames that are louder than that; of a recording that is equally loud throughout, none."""
    if not loudness.size or loudness.max() == loudness.min():
        return np.empty(0, np.intp)
    return np.flatnonzero(loudness > loudness.max() - below_loudest)


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


__all__ = ["Heard", "language_choose", "silence_end", "window_starts"]
