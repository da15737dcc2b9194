"""Speech from Debian's espeak-ng library, with the time at which each word begins.

The library is called through ctypes (espeak-ng's speak_lib.h) rather than the program: it reports word events,
and it speaks some hundred times faster than real time because no process is started per sentence.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tools.demo_model.voices import Voice

Samples = npt.NDArray[np.int16]

LIBRARY: Final = "libespeak-ng.so.1"
# Values from speak_lib.h.
_OUTPUT_SYNCHRONOUS: Final = 2  # AUDIO_OUTPUT_SYNCHRONOUS: the callback gets the samples
_PARAMETER_RATE, _PARAMETER_PITCH, _PARAMETER_RANGE = 1, 3, 4
_EVENT_END_OF_LIST, _EVENT_WORD = 0, 1
_CHARS_UTF8: Final = 1

# Speech begins and ends where 10 ms blocks are louder than this part of the utterance's loudest block.
# 1 % (-40 dB) is above espeak's fading tails and below its weakest initial consonant.
TRIM_LEVEL: Final = 0.01
TRIM_BLOCK_S: Final = 0.01


class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),  # ms from the beginning of the synthesis
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True)
class Utterance:
    """Trimmed speech: samples at the synthesiser's rate; word_starts in seconds from the first sample."""

    samples: Samples
    words: tuple[str, ...]
    word_starts: tuple[float, ...]
    voice: Voice


class Synthesizer:
    """One espeak-ng library; a process can have only one, since the library keeps its state in globals."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(LIBRARY)
        self.rate: int = self._library.espeak_Initialize(_OUTPUT_SYNCHRONOUS, 200, None, 0)
        if self.rate <= 0:
            raise RuntimeError("espeak-ng could not be initialised")
        self._pieces: list[Samples] = []
        self._word_ms: list[int] = []
        self._callback = _Callback(self._receive)  # kept: the library holds only a pointer to it
        self._library.espeak_SetSynthCallback(self._callback)

    def _receive(self, samples: Any, count: int, events: Any) -> int:
        """Library callback: keep `count` samples and the times of the word events."""
        if samples and count > 0:
            self._pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while events[index].type != _EVENT_END_OF_LIST:
            if events[index].type == _EVENT_WORD:
                self._word_ms.append(events[index].audio_position)
            index += 1
        return 0

    def speak(self, words: tuple[str, ...], voice: Voice, ending: str = ".") -> Utterance:
        """One sentence; `ending` is the punctuation which gives it its intonation."""
        lib = self._library
        accent, _, variant = voice.name.partition("+")
        # The program falls back to a search by language; the library knows "en-gb" only by its file, "en".
        name = ("en" if accent == "en-gb" else accent) + (f"+{variant}" if variant else "")
        if lib.espeak_SetVoiceByName(name.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice.name}")
        lib.espeak_SetParameter(_PARAMETER_RATE, voice.speed, 0)
        lib.espeak_SetParameter(_PARAMETER_PITCH, voice.pitch, 0)
        lib.espeak_SetParameter(_PARAMETER_RANGE, voice.pitch_range, 0)
        self._pieces, self._word_ms = [], []
        text = (" ".join(words) + ending).encode()
        lib.espeak_Synth(text, len(text) + 1, 0, 0, 0, _CHARS_UTF8, None, None)
        lib.espeak_Synchronize()
        samples = np.concatenate(self._pieces)
        first, last = speech_bounds(samples, self.rate)
        # Depending on where its buffer ends, the library reports the end of the text as one more word.
        starts = [max(ms / 1000 - first / self.rate, 0.0) for ms in self._word_ms[: len(words)]]
        if len(starts) != len(words):
            raise RuntimeError(f"espeak-ng reported {len(starts)} words in {words}")
        return Utterance(samples[first:last], words, tuple(starts), voice)


def speech_bounds(samples: Samples, rate: int) -> tuple[int, int]:
    """First and one-past-last sample of the speech in `samples` by the level of 10 ms blocks."""
    block = int(rate * TRIM_BLOCK_S)
    count = len(samples) // block
    level = np.sqrt(np.mean(samples[: count * block].reshape(count, block).astype(np.float32) ** 2, axis=1))
    loud = np.flatnonzero(level > TRIM_LEVEL * level.max())
    return int(loud[0]) * block, int(loud[-1] + 1) * block
