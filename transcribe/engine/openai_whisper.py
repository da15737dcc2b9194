"""The openai-whisper engine, inside the engine process alone; only modules of this package import torch and whisper."""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from gate.core.manners import cap_threads, peak_bytes, resident_bytes
from transcribe.engine.errors import RequestFailed
from transcribe.engine.journal import FORMAT, Journal, open_journal
from transcribe.engine.protocol import Load, Loaded, Message, Progress, Text, Transcribe, Transcribed

if TYPE_CHECKING:
    from transcribe.engine.language import Heard
    from transcribe.engine.windows import WindowKeeper

FRAMES_PER_SECOND = 100  # whisper/audio.py: HOP_LENGTH 160 at 16 kHz
# whisper/transcribe.py prints "[00:01.000 --> 00:02.500] text" for each segment when verbose
PRINTED_SEGMENT = re.compile(r"^\[([\d:.]+) --> ([\d:.]+)\] ?(.*)$")
SEGMENT_KEYS = (
    "start",
    "end",
    "text",
    "avg_logprob",
    "compression_ratio",
    "no_speech_prob",
    "temperature",
    "words",
)


class OpenaiWhisper:
    """One loaded model. `say` sends an answer to the worker."""

    def __init__(self, say: Callable[[Message], None]) -> None:
        self._say = say
        self._model: Any = None
        self._model_id = ""
        self._versions: dict[str, str] = {}

    def load(self, request: Load) -> Loaded:
        """Load the weights.

        Raises:
            RequestFailed: the file is not a checkpoint whisper can load.
        """
        begun = time.monotonic()
        if request.threads:
            cap_threads(request.threads)
        import torch
        import whisper

        try:
            # j5a: allow J5A001 because slot.py holds the lock and asked the gate before it started this
            self._model = whisper.load_model(request.path, device="cpu")
        except Exception as error:  # whatever a broken or foreign file makes torch raise
            raise RequestFailed(
                f"{request.path} is not a Whisper checkpoint that openai-whisper can load "
                f"({type(error).__name__}: {_first_line(error)}).",
                permanent=True,
            ) from error
        if request.name in whisper._ALIGNMENT_HEADS:  # load_model sets them only when it is given a name
            self._model.set_alignment_heads(whisper._ALIGNMENT_HEADS[request.name])
        self._model_id = f"{request.sha256} {request.name}"  # the name decides the alignment heads
        self._versions = {"openai-whisper": whisper.__version__, "torch": torch.__version__}
        return Loaded(
            load_seconds=time.monotonic() - begun,
            is_multilingual=bool(self._model.is_multilingual),
            resident_bytes=resident_bytes(),
            versions=self._versions,
        )

    def transcribe(self, request: Transcribe) -> Transcribed:
        """Transcribe one span with whisper's own loop, unchanged.

        Raises:
            RequestFailed: no model is loaded, or whisper refuses the language or an option.
        """
        if self._model is None:
            raise RequestFailed("No model is loaded.", permanent=True)
        self._require_ability(request)
        from transcribe.audio.pcm import read_span

        whisper_transcribe: Any = importlib.import_module("whisper.transcribe")
        audio = read_span(Path(request.pcm_path), request.start_sample, request.end_sample)
        windows = self._windows(request)
        try:
            with windows.around(), contextlib.redirect_stdout(self._text_from_print()):
                mel = self._spectrogram(audio)
                whisper_transcribe.log_mel_spectrogram = lambda *_, **__: mel
                heard = self._heard(request, windows, mel)
                begin_seconds = windows.silence_end_seconds(mel)
                self._progress_to_worker(whisper_transcribe, windows, begin_seconds)
                result = whisper_transcribe.transcribe(
                    self._model,
                    audio,
                    verbose=True,
                    temperature=tuple(request.temperatures),
                    language=self._language(request.language) if heard is None else heard.language,
                    fp16=False,
                    clip_timestamps=[begin_seconds],
                    **request.options,
                )
        except (ValueError, KeyError, NotImplementedError) as error:
            raise RequestFailed(f"Whisper refused: {_first_line(error)}.", permanent=True) from error
        except (IndexError, AssertionError, RuntimeError) as error:  # torch's ways to say no
            name, may_pass = type(error).__name__, isinstance(error, RuntimeError)  # it says a lack of memory with that
            raise RequestFailed(f"Whisper failed ({name}: {_first_line(error)}).", permanent=not may_pass) from error
        segments = [_plain(segment) for segment in result["segments"] if segment["text"].strip()]
        return Transcribed(
            language=result["language"],
            segments=segments,
            peak_bytes=peak_bytes(),
            decoded_windows=windows.decoded_windows,
            replayed_windows=windows.replayed_windows,
            language_probability=None if heard is None else heard.probability,
            language_of_speech=not self._detects(request) or (heard is not None and heard.is_speech),
        )

    def _spectrogram(self, audio: Any) -> Any:
        """Whisper's padded log-mel spectrogram, from which the language is heard before its loop reads it."""
        from whisper.audio import N_SAMPLES

        from transcribe.engine.spectrogram import log_mel_spectrogram

        return log_mel_spectrogram(audio, self._model.dims.n_mels, padding=N_SAMPLES)

    def _detects(self, request: Transcribe) -> bool:
        return request.language is None and bool(self._model.is_multilingual)

    def _heard(self, request: Transcribe, windows: WindowKeeper, mel: Any) -> Heard | None:
        """The language of the first window with speech; None when it is known, or there is no sound at all."""
        heard = windows.hear_language(mel) if self._detects(request) else None
        if heard is not None:
            speech = "speech" if heard.is_speech else "no speech"
            _log(f"The language seems to be {heard.language} ({heard.probability:.0%}, heard in a window of {speech}).")
        return heard

    def _windows(self, request: Transcribe) -> WindowKeeper:
        from transcribe.engine.windows import WindowKeeper

        return WindowKeeper(
            self._model,
            model_id=self._model_id,
            first_temperature=request.temperatures[0],
            journal=self._journal(request),
            tell=_log,
        )

    def _journal(self, request: Transcribe) -> Journal | None:
        """The request's journal; None when it has none or the file cannot be used."""
        if request.journal_path is None:
            return None
        try:
            return open_journal(Path(request.journal_path), self._header(request), tell=_log)
        except OSError as error:
            _log(
                f"The journal {request.journal_path} cannot be used ({error.strerror}). The transcription goes on "
                "without it: if this run is interrupted, this chunk is decoded again from its beginning."
            )
            return None

    def _header(self, request: Transcribe) -> dict[str, Any]:
        """What a journal is valid for. `provenance` holds the hash of the recording and the options as well."""
        import torch

        return {
            "format": FORMAT,
            "provenance": request.provenance,
            "span": [request.start_sample, request.end_sample],
            "model": self._model_id,
            "versions": self._versions,
            # both decide how sums are split up, and so their last bits
            "threads": torch.get_num_threads(),
            "processor": torch.backends.cpu.get_cpu_capability(),
        }

    def _require_ability(self, request: Transcribe) -> None:
        """A model whose abilities could not be told before it was loaded.

        Raises:
            RequestFailed: it does not know the language, or cannot translate.
        """
        from whisper.tokenizer import LANGUAGES

        known = list(LANGUAGES)[: self._model.num_languages] if self._model.is_multilingual else ["en"]
        if request.language is not None and request.language not in known:
            name = LANGUAGES.get(request.language, request.language).title()
            raise RequestFailed(
                f"This model does not know {name}. Transcribe again with another language, or with another model.",
                permanent=True,
            )
        if request.options.get("task") == "translate" and not self._model.is_multilingual:
            raise RequestFailed(
                "This model knows English only and cannot translate. Transcribe again with the task transcribe, or "
                "with another model.",
                permanent=True,
            )

    def _language(self, wanted: str | None) -> str | None:
        """English-only models know one language, as whisper's command line has it."""
        return wanted if self._model.is_multilingual else "en"

    def _progress_to_worker(self, module: Any, windows: WindowKeeper, begin_seconds: float) -> None:
        """whisper's loop reports each window to `tqdm`; give it one that tells the worker."""
        say = self._say

        class Bar:
            def __init__(self, total: int, **_: object) -> None:
                self.done = begin_seconds * FRAMES_PER_SECOND

            def __enter__(self) -> Bar:
                return self

            def __exit__(self, *_: object) -> None:
                return None

            def update(self, frames: int) -> None:
                self.done += frames
                say(
                    Progress(
                        done_seconds=self.done / FRAMES_PER_SECOND,
                        decoded_windows=windows.decoded_windows,
                        replayed_windows=windows.replayed_windows,
                    )
                )

        module.tqdm = SimpleNamespace(tqdm=Bar)

    def _text_from_print(self) -> io.TextIOBase:
        return _PrintedLines(self._say)


class _PrintedLines(io.TextIOBase):
    """Stands in for stdout while whisper runs: its printed segments become messages, the rest goes to the log."""

    def __init__(self, say: Callable[[Message], None]) -> None:
        self._say = say
        self._rest = ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._line(line)
        return len(text)

    def _line(self, line: str) -> None:
        found = PRINTED_SEGMENT.match(line)
        if found is None:
            _log(line)
            return
        start, end, text = found.groups()
        self._say(Text(start_seconds=_seconds(start), end_seconds=_seconds(end), text=text))


def _log(line: str) -> None:
    with contextlib.suppress(OSError):  # a full disk: what cannot be told must not cost what was read
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - the attempt's log


def _seconds(stamp: str) -> float:
    """Seconds of whisper's "[hh:]mm:ss.mmm"."""
    total = 0.0
    for part in stamp.split(":"):
        total = total * 60 + float(part)
    return total


def _plain(segment: dict[str, Any]) -> dict[str, Any]:
    """The fields we keep, as JSON numbers."""
    return {
        key: [{k: v if k == "word" else float(v) for k, v in word.items()} for word in value]
        if key == "words"
        else (value if isinstance(value, str) else float(value))
        for key in SEGMENT_KEYS
        if (value := segment.get(key)) is not None
    }


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
