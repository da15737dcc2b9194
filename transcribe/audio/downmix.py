"""Any sound frame to 16 kHz mono s16, through libavfilter. Imports av: children only."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import cast

import av
from av.audio.frame import AudioFrame
from av.error import BlockingIOError as NothingReady
from av.error import FFmpegError
from av.filter import Graph
from av.filter.context import FilterContext

from transcribe.audio.errors import Fault, SourceFault
from transcribe.audio.pcm_format import BYTES_PER_SAMPLE, SAMPLE_RATE


class Downmix:
    """Converts frames of one kind (rate, sample format, channels); make a new one when the kind changes."""

    def __init__(self, first: AudioFrame, gain: float = 1.0) -> None:
        """Raises SourceFault for sound that cannot be mixed down."""
        self.kind = frame_kind(first)
        try:
            self._graph = _graph(first, gain, mean=first.layout.name.endswith(" channels"))
        except FFmpegError:
            self._graph = _mean_graph(first, gain)

    def convert(self, frame: AudioFrame | None) -> Iterator[memoryview]:
        """Yield the PCM that is ready; None flushes the last samples. Views hold until the next step."""
        if frame is not None:
            # The timeline is kept outside; a jump in these numbers must not make the filters think.
            frame.pts = None
        self._graph.push(frame)
        while True:
            try:
                converted = cast(AudioFrame, self._graph.pull())
            except (NothingReady, av.EOFError):
                return
            yield memoryview(converted.planes[0])[: converted.samples * BYTES_PER_SAMPLE]


def _mean_graph(frame: AudioFrame, gain: float) -> Graph:
    try:
        return _graph(frame, gain, mean=True)
    except MemoryError:
        raise
    except (FFmpegError, ValueError) as error:
        rate, sample_format, _ = frame_kind(frame)
        detail = f"{frame.layout.nb_channels} channels of {sample_format} at {rate} Hz cannot be mixed down"
        raise SourceFault(Fault.NOTHING_DECODABLE, detail) from error


def _graph(frame: AudioFrame, gain: float, *, mean: bool) -> Graph:
    """From frames like `frame` to our PCM; `mean`: the plain mean of all channels instead of a downmix.

    libswresample weighs channels by their places (front, side, voice of a film). Channels without places,
    such as those of 12 microphones, and some with (ambisonics) it refuses.
    """
    graph = Graph()
    rate, sample_format, layout = frame_kind(frame)
    chain: list[FilterContext] = [
        graph.add(
            "abuffer",
            sample_rate=str(rate),
            sample_fmt=sample_format,
            channel_layout=layout,
            time_base=f"1/{rate}",
        )
    ]
    if mean and frame.layout.nb_channels > 1:
        chain.append(graph.add("pan", _mean_of_channels(frame.layout.nb_channels)))
    if gain != 1.0:
        chain.append(graph.add("volume", volume=f"{gain:.3f}", precision="float"))
    chain += [
        graph.add("aresample", str(SAMPLE_RATE)),
        graph.add("aformat", sample_fmts="s16", channel_layouts="mono", sample_rates=str(SAMPLE_RATE)),
        graph.add("abuffersink"),
    ]
    for upstream, downstream in pairwise(chain):
        upstream.link_to(downstream)
    graph.configure()
    return graph


def _mean_of_channels(count: int) -> str:
    """Text for libavfilter's pan."""
    return "mono|c0=" + "+".join(f"{1 / count:.6f}*c{channel}" for channel in range(count))


def frame_kind(frame: AudioFrame) -> tuple[int, str, str]:
    return frame.sample_rate, frame.format.name, frame.layout.name


__all__ = ["Downmix", "frame_kind"]
