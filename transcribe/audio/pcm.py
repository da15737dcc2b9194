"""Read a span of prepared PCM for the engine. Imports numpy: only for child processes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from transcribe.audio.pcm_format import BYTES_PER_SAMPLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

# whisper/audio.py load_audio: `.astype(np.float32) / 32768.0`; the same scale gives the same transcript.
FULL_SCALE = np.float32(32768.0)


def read_span(path: Path, start_sample: int, end_sample: int) -> NDArray[np.float32]:
    """Return the samples [start, end) as float32, shape (end − start,), values in [−1, 1).

    Reads nothing but the span (900 s: 29 MB on disk, 58 MB as float32). Raises ValueError when the file is
    shorter than the span, so that a damaged file never passes as silence.
    """
    wanted = end_sample - start_sample
    if start_sample < 0 or wanted < 0:
        raise ValueError(f"not a span: {start_sample} to {end_sample}")
    raw = np.fromfile(path, dtype="<i2", count=wanted, offset=start_sample * BYTES_PER_SAMPLE)
    if raw.shape[0] != wanted:
        raise ValueError(f"{path.name} holds {raw.shape[0]} of the {wanted} samples from {start_sample}")
    sound = raw.astype(np.float32)
    sound /= FULL_SCALE
    return sound


__all__ = ["read_span"]
