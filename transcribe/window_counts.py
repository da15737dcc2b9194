"""How many windows a run decoded and how many it took over from an earlier one, over all chunks of the run."""

from __future__ import annotations

from transcribe.engine.protocol import Progress, Transcribed


class WindowCounts:
    """The engine counts anew for each chunk, so its last word about each is kept."""

    def __init__(self) -> None:
        self._by_chunk: dict[int, Progress | Transcribed] = {}

    def hear(self, chunk_index: int, message: Progress | Transcribed) -> None:
        self._by_chunk[chunk_index] = message

    def columns(self) -> dict[str, int]:
        """As the attempt's columns name them."""
        heard = self._by_chunk.values()
        return {
            "decoded_windows": sum(message.decoded_windows for message in heard),
            "replayed_windows": sum(message.replayed_windows for message in heard),
        }
