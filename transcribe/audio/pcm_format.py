"""The one PCM format between decoding and the engine: raw, 16 kHz, mono, signed 16 bit, little endian."""

from __future__ import annotations

# whisper/audio.py: SAMPLE_RATE = 16000; its encoder knows no other rate.
SAMPLE_RATE = 16_000
BYTES_PER_SAMPLE = 2
BYTES_PER_SECOND = SAMPLE_RATE * BYTES_PER_SAMPLE


def samples_from_seconds(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)


def seconds_from_samples(samples: int) -> float:
    return samples / SAMPLE_RATE


__all__ = [
    "BYTES_PER_SAMPLE",
    "BYTES_PER_SECOND",
    "SAMPLE_RATE",
    "samples_from_seconds",
    "seconds_from_samples",
]
