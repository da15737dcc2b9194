"""Whisper's windows, each result kept in the journal as it comes, so that a run goes on where the last one was killed.

`whisper.transcribe` stays as it is. It asks the model three things that cost time: `detect_language`, where we have
not heard the language before (`hear_language`), `decode` for each window and temperature, and `find_alignment` for
each window with word timestamps. While `WindowKeeper.around` lasts, these first look whether the journal has the
answer to exactly this question.

The key of an answer is the hash of all that goes in: model, kind, mel window, options with prompt and temperature.
Sampling (temperatures above 0) is seeded from the same hash: without that a resumed run could not equal an
uninterrupted one. So two runs of one file are equal here; with plain whisper they differ once a window is sampled.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from hashlib import blake2b
from typing import Any

import numpy as np
import torch
import whisper.timing
from numpy.typing import NDArray
from whisper.audio import HOP_LENGTH, N_FRAMES, SAMPLE_RATE
from whisper.decoding import DecodingOptions, DecodingResult
from whisper.timing import WordTiming
from whisper.tokenizer import get_tokenizer

from transcribe.engine.journal import Journal
from transcribe.engine.language import Heard, language_choose, silence_end, window_starts

RESULT_FLOATS = ("avg_logprob", "no_speech_prob", "compression_ratio")
TIMING_FLOATS = ("start", "end", "probability")
SEED_BITS = 63  # torch.manual_seed takes an int64


class WindowKeeper:
    """Around one transcription. `model_id` names the weights, `first_temperature` begins a window.

    A journal that cannot be written any more is given up, which `tell` is told; the transcription goes on.
    """

    def __init__(
        self,
        model: Any,
        *,
        model_id: str,
        first_temperature: float,
        journal: Journal | None,
        tell: Callable[[str], None],
    ) -> None:
        self._model = model
        self._model_id = model_id
        self._first_temperature = first_temperature
        self._journal = journal
        self._taken_over = {} if journal is None else journal.taken_over
        self._tell = tell
        self._window_is_decoded = False
        self.decoded_windows = 0
        self.replayed_windows = 0

    @contextlib.contextmanager
    def around(self) -> Iterator[None]:
        """Answer whisper's three questions; afterwards they are whisper's own again and the journal is closed."""
        self._find_alignment = find_alignment = whisper.timing.find_alignment
        self._model.decode, self._model.detect_language = self._decode, self._detect_language
        whisper.timing.find_alignment = self._align
        try:
            yield
        finally:
            whisper.timing.find_alignment = find_alignment
            del self._model.decode, self._model.detect_language  # the class has the real ones
            self._close()

    def hear_language(self, mel: torch.Tensor) -> Heard | None:
        """The language of the speech in `mel`, whisper's padded spectrogram; None where there is no sound at all."""
        windows = (mel[:, start : start + N_FRAMES] for start in window_starts(loudness_of(mel)))
        return language_choose(map(self._hear, windows))

    def silence_end_seconds(self, mel: torch.Tensor) -> float:
        return silence_end(loudness_of(mel)) * HOP_LENGTH / SAMPLE_RATE

    def _hear(self, window: torch.Tensor) -> Heard:
        def ask() -> list[Any]:
            tokenizer = get_tokenizer(True, num_languages=self._model.num_languages)
            with torch.no_grad():
                features = self._model.encoder(window[None])
                sot = self._model.logits(torch.tensor([[tokenizer.sot]]), features)[0, 0]
            _, (probabilities,) = type(self._model).detect_language(self._model, features, tokenizer)
            language = max(probabilities, key=lambda code: probabilities[code])
            no_speech = float(sot.float().softmax(dim=-1)[tokenizer.no_speech])
            return [language, probabilities[language].hex(), no_speech.hex()]

        language, probability, no_speech = self._answer(self._key("speech", window, None), ask)
        return Heard(
            language=language,
            probability=float.fromhex(probability),
            no_speech_probability=float.fromhex(no_speech),
        )

    def _decode(self, mel: torch.Tensor, options: DecodingOptions) -> DecodingResult:
        if options.temperature == self._first_temperature:  # the others are fallbacks for the same window
            self._window_begins()
        key = self._key("decode", mel, asdict(options))

        def ask() -> dict[str, Any]:
            torch.manual_seed(int(key, 16) % 2**SEED_BITS)
            self._window_decodes()
            return _result_values(type(self._model).decode(self._model, mel, options))

        return _result(self._answer(key, ask), options)

    def _detect_language(self, mel: torch.Tensor, tokenizer: Any = None) -> tuple[torch.Tensor, dict[str, float]]:
        def ask() -> list[Any]:
            token, probabilities = type(self._model).detect_language(self._model, mel, tokenizer)
            return [int(token), [[code, value.hex()] for code, value in probabilities.items()]]

        sequence = None if tokenizer is None else tokenizer.sot_sequence
        token, probabilities = self._answer(self._key("language", mel, sequence), ask)
        return torch.tensor(token), {code: float.fromhex(value) for code, value in probabilities}

    def _align(
        self, model: Any, tokenizer: Any, text_tokens: list[int], mel: torch.Tensor, num_frames: int, **options: Any
    ) -> list[WordTiming]:
        def ask() -> list[dict[str, Any]]:
            self._window_decodes()
            return [
                _timing_values(t)
                for t in self._find_alignment(model, tokenizer, text_tokens, mel, num_frames, **options)
            ]

        facts = [tokenizer.language, tokenizer.sot_sequence, text_tokens, num_frames, options]
        return [_timing(values) for values in self._answer(self._key("align", mel, facts), ask)]

    def _answer(self, key: str, ask: Callable[[], Any]) -> Any:
        """What the journal took over for `key`, or what `ask` returns, which is kept."""
        if key in self._taken_over:
            return self._taken_over[key]
        value = ask()
        if self._journal is not None:
            try:
                self._journal.append(key, value)
            except OSError as error:
                self._close()
                self._tell(
                    f"The journal cannot be written ({error.strerror}). The transcription goes on without it: "
                    "if this run is interrupted, windows decoded from here on are decoded again."
                )
        return value

    def _key(self, kind: str, mel: torch.Tensor, facts: Any) -> str:
        head = [self._model_id, kind, facts, list(mel.shape), str(mel.dtype)]
        digest = blake2b(json.dumps(head, sort_keys=True).encode(), digest_size=32)
        digest.update(np.ascontiguousarray(mel.numpy()).data)
        return digest.hexdigest()

    def _window_begins(self) -> None:
        """It counts as replayed until something of it has to be asked."""
        self._window_is_decoded = False
        self.replayed_windows += 1

    def _window_decodes(self) -> None:
        if not self._window_is_decoded:
            self._window_is_decoded = True
            self.replayed_windows -= 1
            self.decoded_windows += 1

    def _close(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None


def loudness_of(mel: torch.Tensor) -> NDArray[np.float32]:
    """The loudest tone of each frame of whisper's padded spectrogram, the padding left out."""
    loudest: NDArray[np.float32] = mel[:, :-N_FRAMES].amax(dim=0).numpy()
    return loudest


def _result_values(result: DecodingResult) -> dict[str, Any]:
    """What `whisper.transcribe` reads of a result, floats to the last bit; it never reads the audio features."""
    exact = {name: float(getattr(result, name)).hex() for name in RESULT_FLOATS}
    texts = {"language": result.language, "tokens": result.tokens, "text": result.text}
    return {"temperature": result.temperature, **texts, **exact}


def _result(values: dict[str, Any], options: DecodingOptions) -> DecodingResult:
    exact = {name: float.fromhex(values[name]) for name in RESULT_FLOATS}
    texts = {name: values[name] for name in ("language", "tokens", "text")}
    return DecodingResult(audio_features=torch.empty(0), temperature=options.temperature, **texts, **exact)


def _timing_values(timing: WordTiming) -> dict[str, Any]:
    exact = {name: float(getattr(timing, name)).hex() for name in TIMING_FLOATS}
    return {"word": timing.word, "tokens": [int(token) for token in timing.tokens], **exact}


def _timing(values: dict[str, Any]) -> WordTiming:
    """NumPy's floats, as whisper makes them: they round otherwise than Python's."""
    exact = {name: np.float64(float.fromhex(values[name])) for name in TIMING_FLOATS}
    return WordTiming(word=values["word"], tokens=list(values["tokens"]), **exact)
