"""What the worker and the engine say to each other: one JSON object a line, over the engine's stdin and stdout.

Requests (worker → engine)        Answers (engine → worker)
    Load                              Ready, then Loaded
    Transcribe                        Progress*, Text*, then Transcribed
    (end of stdin: the engine ends)   Failed instead of the last answer

Pure Python; both sides import it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from transcribe.engine.errors import ProtocolError


@dataclass(frozen=True, kw_only=True)
class Load:
    """Load the weights in `path`. `name` is openai-whisper's name for them, or empty for another checkpoint.
    `sha256`: of the file. `threads`: 0 leaves torch's own choice, one for each physical core.
    """

    KIND: ClassVar[str] = "load"
    path: str
    name: str
    threads: int
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class Transcribe:
    """Transcribe samples [start_sample, end_sample) of a 16 kHz mono s16le file.

    `journal_path`: where the results of the windows are kept and taken over from; None keeps none. `provenance`: the
    hash of recording, span, model and options; a journal with another one is not used. `log_path`: where standard
    error and whatever a library prints go from now on; None leaves them where they go.
    """

    KIND: ClassVar[str] = "transcribe"
    pcm_path: str
    start_sample: int
    end_sample: int
    language: str | None
    options: dict[str, Any]
    temperatures: list[float]
    journal_path: str | None = None
    provenance: str = ""
    log_path: str | None = None


@dataclass(frozen=True, kw_only=True)
class Ready:
    """The process runs and has lowered its priority; torch is not imported yet."""

    KIND: ClassVar[str] = "ready"
    pid: int


@dataclass(frozen=True, kw_only=True)
class Loaded:
    KIND: ClassVar[str] = "loaded"
    load_seconds: float
    is_multilingual: bool
    resident_bytes: int
    versions: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """`done_seconds` of the span have been read, in so many windows: decoded now, or replayed from the journal."""

    KIND: ClassVar[str] = "progress"
    done_seconds: float
    decoded_windows: int = 0
    replayed_windows: int = 0


@dataclass(frozen=True, kw_only=True)
class Text:
    """A segment as it appears; times in seconds from the start of the span. Not yet the final answer."""

    KIND: ClassVar[str] = "text"
    start_seconds: float
    end_seconds: float
    text: str


SURE_PROBABILITY = 0.5  # of a language: faster-whisper's language_detection_threshold


@dataclass(frozen=True, kw_only=True)
class Transcribed:
    """`segments`: whisper's own fields (start, end, text, words …), times in seconds from the start of the span.

    `language_probability`: how sure a detected language is; None when it was told. `language_of_speech`: false when it
    was detected where no speech was heard, so that it says nothing of the rest of the recording.
    """

    KIND: ClassVar[str] = "transcribed"
    language: str
    peak_bytes: int
    decoded_windows: int = 0
    replayed_windows: int = 0
    language_probability: float | None = None
    language_of_speech: bool = True
    segments: list[dict[str, Any]] = field(default_factory=list)

    @property
    def language_is_sure(self) -> bool:
        probability = 1.0 if self.language_probability is None else self.language_probability
        return self.language_of_speech and probability >= SURE_PROBABILITY


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The request could not be answered; the engine goes on. `permanent`: asking again cannot help."""

    KIND: ClassVar[str] = "failed"
    message: str
    permanent: bool


Message = Load | Transcribe | Ready | Loaded | Progress | Text | Transcribed | Failed
_BY_KIND: dict[str, type[Message]] = {
    cls.KIND: cls for cls in (Load, Transcribe, Ready, Loaded, Progress, Text, Transcribed, Failed)
}


def encode(message: Message) -> bytes:
    return json.dumps({"kind": message.KIND, **asdict(message)}, ensure_ascii=False).encode() + b"\n"


def decode(line: bytes) -> Message:
    """The message in `line`.

    Raises:
        ProtocolError: the line is not one of ours.
    """
    try:
        values = json.loads(line)
        return _BY_KIND[values.pop("kind")](**values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProtocolError(f"not a message of the engine: {line[:200]!r} ({error})") from None
