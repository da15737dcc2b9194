"""How loud frames are, channel by channel, and what 16 bit mono would lose of them. Imports av and numpy:
children only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from av.audio.frame import AudioFrame

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Every frame at first, then one in eight: the survey takes a twentieth of the time of decoding.
SURVEY_ALL_FRAMES = 64
SURVEY_ONE_FRAME_IN = 8
# Where the loudest sample is under −50 dB, rounding to 16 bit is heard; it is raised to −12 dB.
QUIET_PEAK, RAISED_PEAK = 10 ** (-50 / 20), 10 ** (-12 / 20)
# Under −120 dB there is nothing but rounding of the file's own.
SILENT_PEAK = 1e-6
# Energy of the mean of all channels by that of channels that have nothing to do with each other: 1 for those,
# 2 for two that are alike; under a twentieth they cancel.
CANCELLED_SHARE = 0.05
# A frame counts from 40 dB below the loudest sample on.
SOUNDING_SHARE = 1e-4
# About three seconds of surveyed frames on end, which no honest stereo does.
CANCELLED_RUN = 16


@dataclass(frozen=True)
class Treatment:
    """What is done to every frame before it becomes 16 bit mono; by default nothing."""

    gain: float = 1.0
    mends_channels: bool = False

    @property
    def notes(self) -> list[str]:
        notes = []
        if self.mends_channels:
            notes.append("The channels cancel each other out: where they do, only the loudest one is used.")
        if self.gain != 1.0:
            notes.append(f"The sound is very quiet: it was raised by {20 * math.log10(self.gain):.0f} dB.")
        return notes


class Survey:
    """Listens to a share of the frames of a file."""

    def __init__(self) -> None:
        self._frames = 0
        self._peak = 0.0
        self._is_fine = False  # finer than 16 bit
        self._sounding = self._cancelled = self._run = self._longest_run = 0

    def take(self, frame: AudioFrame) -> None:
        self._frames += 1
        if self._frames > SURVEY_ALL_FRAMES and self._frames % SURVEY_ONE_FRAME_IN:
            return
        values = channel_values(frame)
        self._peak = max(self._peak, float(np.abs(values).max(initial=0.0)))
        self._is_fine = self._is_fine or frame.format.bytes > 2
        energy = float((values**2).mean(axis=1).max(initial=0.0))
        if len(values) > 1 and energy > max(SOUNDING_SHARE * self._peak**2, SILENT_PEAK**2):
            self._take_channels(values)

    def _take_channels(self, values: NDArray[np.float64]) -> None:
        self._sounding += 1
        if cancels(values):
            self._cancelled += 1
            self._run += 1
            self._longest_run = max(self._longest_run, self._run)
        else:
            self._run = 0

    @property
    def treatment(self) -> Treatment:
        is_quiet = self._is_fine and SILENT_PEAK < self._peak < QUIET_PEAK
        return Treatment(
            gain=RAISED_PEAK / self._peak if is_quiet else 1.0,
            mends_channels=self._longest_run >= CANCELLED_RUN or 0 < self._sounding <= 2 * self._cancelled,
        )


def cancels(values: NDArray[np.float64]) -> bool:
    """Whether the mean of the channels has far less energy than they have. Shape (channels, samples)."""
    apart = float((values**2).mean(axis=1).sum()) / len(values) ** 2
    return float((values.mean(axis=0) ** 2).mean()) < CANCELLED_SHARE * apart


def mended(frame: AudioFrame) -> AudioFrame:
    """The frame in mono: the mean of its channels, or the loudest one where they cancel."""
    values = channel_values(frame)
    loudest = values[int((values**2).mean(axis=1).argmax())]
    mono = loudest if cancels(values) else values.mean(axis=0)
    made = AudioFrame.from_ndarray(np.ascontiguousarray(mono[None, :], dtype=np.float32), format="flt", layout="mono")
    made.sample_rate = frame.sample_rate
    return made


def channel_values(frame: AudioFrame) -> NDArray[np.float64]:
    """The frame's samples as floats of −1 to 1, shape (channels, samples); what is no number is 0."""
    raw = frame.to_ndarray()
    values = raw.astype(np.float64)
    if raw.dtype.kind == "u":
        values = (values - 128) / 128
    elif raw.dtype.kind == "i":
        values /= 2.0 ** (8 * raw.dtype.itemsize - 1)
    if not frame.format.is_planar:
        values = values.reshape(-1, frame.layout.nb_channels).T
    return np.nan_to_num(values, posinf=0.0, neginf=0.0)


def peak(frame: AudioFrame) -> float:
    return float(np.abs(channel_values(frame)).max(initial=0.0))


__all__ = ["Survey", "Treatment", "channel_values", "mended", "peak"]
