"""Put decoded sound on the timeline and write it as PCM. Imports av: children only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from av.audio.frame import AudioFrame

from transcribe.audio.downmix import Downmix, frame_kind
from transcribe.audio.levels import Survey, Treatment, mended
from transcribe.audio.packets import Loss
from transcribe.audio.pcm_format import BYTES_PER_SAMPLE, SAMPLE_RATE, samples_from_seconds
from transcribe.audio.sound import Sound, SoundReader
from transcribe.audio.source import Source
from transcribe.audio.timeline import Evidence, Move, Timeline

# Damage closer together than this reads as one stretch.
MERGE_WITHIN_SECONDS = 0.25
# Three hours of a conference whose pauses were not sent have fewer; a file of more is damaged everywhere.
MAX_BROKEN_STRETCHES = 10_000
UNEXPLAINED_GAP = "nothing readable in the file for this stretch"
CLOCK_JUMP = "the file's clock jumps; everything was read, and no silence was put in"
JOINED = "another recording begins: the file was joined from several"


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

    def __init__(self, out: BinaryIO, treatment: Treatment) -> None:
        self._out = out
        self._treatment = treatment
        self.survey = Survey()
        self.written_samples = 0
        self.broken: list[Broken] = []
        self.heard_samples = 0
        self._downmix: Downmix | None = None
        self._timeline = Timeline()
        self._loss: Loss | None = None

    @property
    def end_seconds(self) -> float:
        """Where the next frame begins if it follows straight on."""
        return self._timeline.end_seconds

    def add_all(self, source: Source) -> Iterator[None]:
        """Everything of one recording, a step for each piece."""
        if self.heard_samples > 0:
            self._note_broken(self.end_seconds, self.end_seconds, JOINED)
        for piece in SoundReader(source):
            if isinstance(piece, Loss):
                self.lose(piece)
            else:
                self.add(piece)
            yield
        self.end_part()

    def lose(self, loss: Loss) -> None:
        """Note damage; how long it was shows when the next frame comes."""
        reason = loss.reason if self._loss is None else self._loss.reason
        self._loss = Loss(reason, loss.end_seconds)

    def add(self, sound: Sound) -> None:
        self._place(sound.start_seconds, replace(sound.evidence, after_loss=self._loss is not None))
        self._loss = None
        self._append(sound.frame)

    def end_part(self) -> None:
        """Write what is still held back, and silence for damage at the very end; the next part starts from here."""
        if self._loss is not None and self._loss.end_seconds is not None:
            self._place(self._loss.end_seconds, Evidence(after_loss=True))
        self._loss = None
        self._end_stretch()
        self._timeline.begin_part()

    def finish(self) -> None:
        self._out.truncate(self.written_samples * BYTES_PER_SAMPLE)

    def _place(self, start_seconds: float | None, evidence: Evidence) -> None:
        """Silence up to where sound begins, as a hole in the file: it takes no disk and reads as zeros."""
        before = self._timeline.end_seconds
        move, start = self._timeline.place(start_seconds, evidence)
        if move is Move.REBASE:
            self._note_broken(before, before, CLOCK_JUMP)
        if move is not Move.FILL:
            return
        if self._loss is not None:
            self._note_broken(before, start, self._loss.reason)
        elif self.heard_samples > 0:  # sound that sets in after the picture is no damage
            self._note_broken(before, start, UNEXPLAINED_GAP)
        self._end_stretch()
        self.written_samples = max(self.written_samples, samples_from_seconds(start))
        self._out.seek(self.written_samples * BYTES_PER_SAMPLE)
        self._timeline.end_seconds = self.written_samples / SAMPLE_RATE

    def _append(self, frame: AudioFrame) -> None:
        self.survey.take(frame)
        if self._treatment.mends_channels:
            frame = mended(frame)
        if self._downmix is None or self._downmix.kind != frame_kind(frame):
            self._end_stretch()
            self._downmix = Downmix(frame, self._treatment.gain)
        self._timeline.advance(frame.samples / frame.sample_rate)
        self.heard_samples += frame.samples
        self._write(self._downmix, frame)

    def _write(self, downmix: Downmix, frame: AudioFrame | None) -> None:
        for pcm in downmix.convert(frame):
            self._out.write(pcm)
            self.written_samples += len(pcm) // BYTES_PER_SAMPLE

    def _end_stretch(self) -> None:
        if self._downmix is not None:
            self._write(self._downmix, None)
        self._downmix = None
        self._timeline.end_seconds = self.written_samples / SAMPLE_RATE

    def _note_broken(self, start_seconds: float, end_seconds: float, reason: str) -> None:
        last = self.broken[-1] if self.broken else None
        if last is not None and start_seconds - last.end_seconds <= MERGE_WITHIN_SECONDS:
            self.broken[-1] = Broken(last.start_seconds, end_seconds, last.reason)
        elif len(self.broken) < MAX_BROKEN_STRETCHES:
            self.broken.append(Broken(start_seconds, end_seconds, reason))


__all__ = ["Assembly", "Broken"]
