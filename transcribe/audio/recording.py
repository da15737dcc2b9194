"""Everything in one file: the recordings that were joined in it, tags left out. Imports av: children only."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from transcribe.audio.byte_view import ByteRange, ByteView, without
from transcribe.audio.errors import Fault, SourceFault
from transcribe.audio.joined import walk_bytes
from transcribe.audio.source import LONGEST_PACKET_BYTES, Source, open_container, open_source, short_name
from transcribe.audio.tags import tag_ranges
from transcribe.audio.tracks import choose_track

# Formats that hold tags between their frames; libavformat itself knows those at the begin and end of most.
FORMATS_WITH_LOOSE_TAGS = (*LONGEST_PACKET_BYTES, "ape", "flac", "mpc", "mpc8", "tak", "tta", "wv")
BOX_HEADER_BYTES = 8
PADDING_BYTES = 4096  # so many zeros are no box


@dataclass(frozen=True)
class Stamp:
    """What a file looks like from outside; any write changes it."""

    size_bytes: int
    modified_ns: int


class Recording:
    """An open file. `notes` grow while its parts are opened."""

    def __init__(self, descriptor: int, on_block: Callable[[], None], sha256: str) -> None:
        self._descriptor = descriptor
        self._stamp = self._stamp_now()
        self.notes: list[str] = []
        self._ranges, found_sha256 = walk_bytes(descriptor, on_block, hashed=bool(sha256))
        if found_sha256 != sha256:
            raise SourceFault(Fault.CHANGED)

    def parts(self) -> Iterator[Source]:
        """The recordings in the file, one after the other. Raises SourceFault when the first is none."""
        self.notes = []
        tracks: list[str | None] = []
        for number, whole in enumerate(self._ranges):
            try:
                source, note = open_part(self._descriptor, whole)
            except SourceFault:
                if number == 0:
                    raise
                self._note_unread(whole[1] - whole[0])
                continue
            tracks.append(note)
            if short_name(source.container) == "mov":
                self._note_unread(whole[1] - boxes_end(self._descriptor, whole))
            yield source
            source.container.close()
        self.notes += [note for note in dict.fromkeys(tracks) if note is not None]

    def require_unchanged(self) -> None:
        """Raises SourceFault when the file was written to since it was opened."""
        if self._stamp_now() != self._stamp:
            raise SourceFault(Fault.CHANGED)

    def _stamp_now(self) -> Stamp:
        status = os.fstat(self._descriptor)
        return Stamp(status.st_size, status.st_mtime_ns)

    def _note_unread(self, count: int) -> None:
        if count > 0:
            self.notes.append(f"{count} bytes after the end were not read.")


@contextmanager
def open_recording(path: Path, *, on_block: Callable[[], None] = lambda: None, sha256: str = "") -> Iterator[Recording]:
    """Open `path` (absolute); with `sha256`, only the file that has it. Raises SourceFault."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SourceFault(Fault.UNREADABLE, error.strerror or "") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SourceFault(Fault.UNREADABLE, "not a regular file")
        if status.st_size == 0:
            raise SourceFault(Fault.EMPTY)
        yield Recording(descriptor, on_block, sha256)
    finally:
        os.close(descriptor)


def open_part(descriptor: int, whole: ByteRange) -> tuple[Source, str | None]:
    """Open one recording, and say which of its tracks was chosen where that needs saying."""
    shown = [whole]
    opened = open_container(ByteView(descriptor, shown))
    if short_name(opened.container) in FORMATS_WITH_LOOSE_TAGS:
        shown = without(whole, [tag for tag in tag_ranges(descriptor, whole) if tag[0] > whole[0]])
        opened = open_container(ByteView(descriptor, shown))
    index, note = choose_track(opened.container)
    if len(opened.container.streams.audio) > 1:  # it was read from
        opened = open_container(ByteView(descriptor, shown))
    return open_source(opened, opened.container.streams[index]), note  # type: ignore[arg-type]


def boxes_end(descriptor: int, whole: ByteRange) -> int:
    """Where the boxes of an mp4 end (ISO 14496-12: four bytes of size, four letters)."""
    at, end = whole
    while at + BOX_HEADER_BYTES <= end:
        head = os.pread(descriptor, 16, at)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size == 0 and (head[4:8] == b"mdat" or not any(os.pread(descriptor, PADDING_BYTES, at))):
            return end
        if size < BOX_HEADER_BYTES or not all(0x20 <= letter < 0x7F or letter == 0xA9 for letter in head[4:8]):
            return at
        at += size
    return end


__all__ = ["Recording", "open_recording"]
