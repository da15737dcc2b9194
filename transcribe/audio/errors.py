"""What can be wrong with a sound file, in words for the person who brought it.

AudioError
├── AudioRefused            the file itself cannot be used: trying again cannot help
│   ├── EmptyFile
│   ├── NotAudio            not a sound or video file, or a format we do not open (playlists, images)
│   ├── FileCutOff          the part that says where the sound lies is missing
│   ├── NoSoundTrack        a video without sound
│   ├── NothingDecodable    a sound track, but not one sample can be read
│   ├── TooDemanding        reading it takes more time or memory than any honest file does
│   └── RecordingChanged    not the bytes any more that were uploaded
└── AudioNotPrepared        the file may be fine: trying again can help
    ├── FileUnreadable      gone, or no permission
    ├── DiskFull
    ├── PreparationStopped  the caller asked to stop
    └── PreparationFailed   the decoding process ended without a result

Every message reads "<name>: <cause>. <next step>." and holds no path of this machine.
"""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from typing import ClassVar

from transcribe.names import JOINERS

# Long enough to recognise a file by, short enough for one line of a page or terminal.
MAX_SHOWN_NAME_CHARACTERS = 80


class AudioError(Exception):
    """A sound file could not be used: `name` (as its owner knows it), `cause` and `hint` (the next step).

    `permanent`: trying again cannot help.
    """

    permanent: ClassVar[bool] = False

    def __init__(self, name: str, cause: str, hint: str) -> None:
        super().__init__(name, cause, hint)
        self.name = name
        self.cause = cause
        self.hint = hint

    def __str__(self) -> str:
        return f"{shown_name(self.name)}: {self.cause}. {self.hint}."


class AudioRefused(AudioError):
    permanent = True


class EmptyFile(AudioRefused): ...


class NotAudio(AudioRefused): ...


class FileCutOff(AudioRefused): ...


class NoSoundTrack(AudioRefused): ...


class NothingDecodable(AudioRefused): ...


class TooDemanding(AudioRefused): ...


class RecordingChanged(AudioRefused): ...


class AudioNotPrepared(AudioError): ...


class FileUnreadable(AudioNotPrepared): ...


class DiskFull(AudioNotPrepared): ...


class PreparationStopped(AudioNotPrepared): ...


class PreparationFailed(AudioNotPrepared): ...


class Fault(StrEnum):
    """What a child process reports; `audio_error` turns it into an AudioError."""

    EMPTY = "empty"
    NOT_AUDIO = "not_audio"
    CUT_OFF = "cut_off"
    NO_SOUND_TRACK = "no_sound_track"
    NOTHING_DECODABLE = "nothing_decodable"
    TOO_DEMANDING = "too_demanding"
    CHANGED = "changed"
    UNREADABLE = "unreadable"
    DISK_FULL = "disk_full"
    STOPPED = "stopped"
    FAILED = "failed"


class SourceFault(Exception):
    """A file cannot be read: `fault` and a technical `detail` (may be empty). Inside child processes only."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(fault, detail)
        self.fault = fault
        self.detail = detail


_TEXTS: dict[Fault, tuple[type[AudioError], str, str]] = {
    Fault.EMPTY: (EmptyFile, "the file is empty (0 bytes)", "Copy or record it again and use that"),
    Fault.NOT_AUDIO: (
        NotAudio,
        "this is not a sound or video file that can be opened",
        "Use a recording such as wav, mp3, m4a, ogg, opus, flac, mp4, mkv or webm",
    ),
    Fault.CUT_OFF: (
        FileCutOff,
        "the file is cut off: the index at its end, without which nothing can be found in it, is missing",
        "Copy it again from where it came, completely",
    ),
    Fault.NO_SOUND_TRACK: (
        NoSoundTrack,
        "the file holds pictures but no sound",
        "Use a version of it with a sound track",
    ),
    Fault.NOTHING_DECODABLE: (
        NothingDecodable,
        "there is a sound track, but not one stretch of it can be read",
        "See whether it plays elsewhere; if so, save it there as wav or mp3 and use that",
    ),
    Fault.TOO_DEMANDING: (
        TooDemanding,
        "reading it took more time or memory than a sound file should",
        "Save it as wav or mp3 with another program and use that",
    ),
    Fault.CHANGED: (
        RecordingChanged,
        "the recording on the disk is not the one that was uploaded",
        "Upload it again",
    ),
    Fault.UNREADABLE: (
        FileUnreadable,
        "the file is gone or may not be read",
        "Upload it again",
    ),
    Fault.DISK_FULL: (DiskFull, "the disk is full", "Free some space, then try again"),
    Fault.STOPPED: (PreparationStopped, "reading it was stopped", "Start it again when you like"),
    Fault.FAILED: (
        PreparationFailed,
        "the process that reads it ended without a result",
        "Try again; if it happens twice, save it as wav with another program and use that",
    ),
}


def audio_error(fault: Fault, name: str, detail: str = "") -> AudioError:
    """Build the error for `fault`; `detail` (numbers, a decoder's words) goes in brackets after the cause."""
    error_class, cause, hint = _TEXTS[fault]
    return error_class(name, f"{cause} ({detail})" if detail else cause, hint)


def shown_name(name: str) -> str:
    """The name on one line: no control or direction-changing characters, shortened in the middle."""
    plain = "".join("�" if _is_unprintable(c) else c for c in " ".join(name.split()))
    if len(plain) <= MAX_SHOWN_NAME_CHARACTERS:
        return plain or "(no name)"
    half = MAX_SHOWN_NAME_CHARACTERS // 2 - 1
    return f"{plain[:half]}…{plain[-half:]}"


def _is_unprintable(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs"} and character not in JOINERS


__all__ = [
    "AudioError",
    "AudioNotPrepared",
    "AudioRefused",
    "DiskFull",
    "EmptyFile",
    "Fault",
    "FileCutOff",
    "FileUnreadable",
    "NoSoundTrack",
    "NotAudio",
    "NothingDecodable",
    "PreparationFailed",
    "PreparationStopped",
    "RecordingChanged",
    "SourceFault",
    "TooDemanding",
    "audio_error",
    "shown_name",
]
