"""Put decoded sound on the timeline and write it as PCM. Imports av: children only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from transcribe.audio.downmix import Downmix, frame_kind
from transcribe.audio.pcm_format import BYTES_PER_SAMPLE, SAMPLE_RATE, samples_from_seconds
from transcribe.audio.sound import Loss, Sound
from transcribe.audio.timeline import Move, judge_move

# Damage closer together than this reads as one stretch.
MERGE_WITHIN_SECONDS = 0.25
# A file that is damaged everywhere is described well enough by its first places.
MAX_BROKEN_STRETCHES = 200
UNEXPLAINED_GAP = "nothing readable in the file for this stretch"
CLOCK_JUMP = "the file's clock jumps here; no silence was put in"


@dataclass(frozen=True)
class Broken:
    """A stretch of the timeline without its sound; start equals end where only the clock is broken."""

    start_seconds: float
    end_seconds: float
    reason: str


class Assembly:
    """Writes Sound and Loss, in the order they come, to an open file of 16 kHz mono s16le.

    A *stretch* is sound without a break: its samples are counted at the file's own rate, so that no
    rounding adds up.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.written_samples = 0
        self.broken: list[Broken] = []
        self.heard_samples = 0
        self._downmix: Downmix | None = None
        self._stretch_start_samples = 0
        self._stretch_seconds = 0.0
        self._rebase_seconds = 0.0
        self._loss: Loss | None = None

    @property
    def expected_seconds(self) -> float:
        """Where the next frame begins if it follows straight on."""
        return self._stretch_start_samples / SAMPLE_RATE + self._stretch_seconds

    def lose(self, loss: Loss) -> None:
        """Note damage; how long it was shows when the next frame comes."""
        reason = loss.reason if self._loss is None else self._loss.reason
        self._loss = Loss(reason, loss.end_seconds)

    def add(self, sound: Sound) -> None:
        start = None if sound.start_seconds is None else sound.start_seconds + self._rebase_seconds
        move = judge_move(
            expected_seconds=self.expected_seconds, start_seconds=start, after_loss=self._loss is not None
        )
        if move is Move.DROP:
            return
        if start is not None and move is Move.FILL:
            self._fill(start)
        elif start is not None and move is Move.REBASE:
            self._rebase_seconds += self.expected_seconds - start
            self._note_broken(self.expected_seconds, self.expected_seconds, CLOCK_JUMP)
        self._loss = None
        self._append(sound)

    def finish(self) -> None:
        """Write what is still held back, and silence for damage at the very end."""
        if self._loss is not None and self._loss.end_seconds is not None:
            end = self._loss.end_seconds + self._rebase_seconds
            move = judge_move(expected_seconds=self.expected_seconds, start_seconds=end, after_loss=True)
            if move is Move.FILL:
                self._fill(end)
        self._end_stretch()
        self._out.truncate(self.written_samples * BYTES_PER_SAMPLE)

    def _append(self, sound: Sound) -> None:
        frame = sound.frame
        if self._downmix is None or self._downmix.kind != frame_kind(frame):
            self._end_stretch()
            self._downmix = Downmix(frame)
        self._stretch_seconds += frame.samples / frame.sample_rate
        self.heard_samples += frame.samples
        self._write(self._downmix, sound)

    def _write(self, downmix: Downmix, sound: Sound | None) -> None:
        for pcm in downmix.convert(None if sound is None else sound.frame):
            self._out.write(pcm)
            self.written_samples += len(pcm) // BYTES_PER_SAMPLE

    def _end_stretch(self) -> None:
        if self._downmix is not None:
            self._write(self._downmix, None)
        self._downmix = None
        self._stretch_start_samples = self.written_samples
        self._stretch_seconds = 0.0

    def _fill(self, until_seconds: float) -> None:
        """Silence up to `until_seconds`, as a hole in the file: it takes no disk and reads as zeros."""
        if self._loss is not None:
            self._note_broken(self.expected_seconds, until_seconds, self._loss.reason)
        elif self.heard_samples > 0:  # sound that sets in after the picture is no damage
            self._note_broken(self.expected_seconds, until_seconds, UNEXPLAINED_GAP)
        self._end_stretch()
        self.written_samples = max(self.written_samples, samples_from_seconds(until_seconds))
        self._out.seek(self.written_samples * BYTES_PER_SAMPLE)
        self._stretch_start_samples = self.written_samples

    def _note_broken(self, start_seconds: float, end_seconds: float, reason: str) -> None:
        last = self.broken[-1] if self.broken else None
        if last is not None and start_seconds - last.end_seconds <= MERGE_WITHIN_SECONDS:
            self.broken[-1] = Broken(last.start_seconds, end_seconds, last.reason)
        elif len(self.broken) < MAX_BROKEN_STRETCHES:
            self.broken.append(Broken(start_seconds, end_seconds, reason))


__all__ = ["Assembly", "Broken"]
