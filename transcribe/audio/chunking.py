"""Where a long recording is cut. Pure: the search for a quiet moment is handed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from transcribe.audio.pcm_format import SAMPLE_RATE

# Protocol, "Transcription": up to 15 min one chunk; longer: chunks of about 10 min.
SINGLE_CHUNK_SECONDS = 900
CHUNK_SECONDS = 600


@dataclass(frozen=True, order=True)
class Span:
    """A stretch of the prepared sound: samples [start, end) at 16 kHz."""

    start_sample: int
    end_sample: int

    @property
    def samples(self) -> int:
        return self.end_sample - self.start_sample

    @property
    def start_seconds(self) -> float:
        return self.start_sample / SAMPLE_RATE

    @property
    def end_seconds(self) -> float:
        return self.end_sample / SAMPLE_RATE


# Given a mark (a sample number), the best sample to cut at near it.
QuietPoint = Callable[[int], int]


def plan_spans(total_samples: int, quiet_point: QuietPoint) -> tuple[Span, ...]:
    """Tile [0, total) with spans: no gap, no overlap, in order.

    Cuts at a quiet point near every 10 min while more than 15 min remain, so the last span has 5 to 15 min:
    never a scrap. Raises ValueError for no samples, or when a quiet point lies outside what remains.
    """
    if total_samples <= 0:
        raise ValueError(f"nothing to cut: {total_samples} samples")
    spans: list[Span] = []
    start = 0
    while total_samples - start > SINGLE_CHUNK_SECONDS * SAMPLE_RATE:
        cut = quiet_point(start + CHUNK_SECONDS * SAMPLE_RATE)
        if not start < cut < total_samples:
            raise ValueError(f"quiet point {cut} is not between {start} and {total_samples}")
        spans.append(Span(start, cut))
        start = cut
    spans.append(Span(start, total_samples))
    return tuple(spans)


__all__ = ["CHUNK_SECONDS", "SINGLE_CHUNK_SECONDS", "QuietPoint", "Span", "plan_spans"]
