"""Decoding options, with the names and defaults of openai-whisper's own command line (version 20250625).

One table, `OPTION_SPECS`, feeds the upload form, the command line and the check of what comes in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from transcribe.errors import OptionsInvalid

# whisper/transcribe.py, cli(): the defaults of --prepend_punctuations and --append_punctuations
PREPEND_PUNCTUATIONS = "\"'“¿([{-"
APPEND_PUNCTUATIONS = "\"'.。,，!！?？:：”)]}、"

NONE_WORDS = frozenset({"", "none"})  # how whisper's command line spells "no value"
PROMPT_LIMIT_CHARS = 2000  # whisper keeps the last 223 tokens; more is never read


@dataclass(frozen=True, kw_only=True)
class DecodingOptions:
    task: str = "transcribe"
    temperature: float = 0.0
    temperature_increment_on_fallback: float | None = 0.2
    beam_size: int | None = 5
    best_of: int | None = 5
    patience: float | None = None
    length_penalty: float | None = None
    suppress_tokens: str = "-1"
    initial_prompt: str | None = None
    carry_initial_prompt: bool = False
    condition_on_previous_text: bool = True
    compression_ratio_threshold: float | None = 2.4
    logprob_threshold: float | None = -1.0
    no_speech_threshold: float | None = 0.6
    word_timestamps: bool = False
    prepend_punctuations: str = PREPEND_PUNCTUATIONS
    append_punctuations: str = APPEND_PUNCTUATIONS
    hallucination_silence_threshold: float | None = None

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> DecodingOptions:
        """Check and convert `values` (texts from a form or a command line, or JSON values).

        Raises:
            OptionsInvalid: naming the option, what it holds and what would be right.
        """
        unknown = set(values) - set(SPEC_BY_NAME)
        if unknown:
            name = sorted(unknown)[0]
            raise OptionsInvalid(f"There is no decoding option named “{name}”.", option=name)
        options = cls(**{name: SPEC_BY_NAME[name].parse(value) for name, value in values.items()})
        options._check_together()
        return options

    def to_json_dict(self) -> dict[str, Any]:
        return asdict(self)

    def changed(self) -> dict[str, Any]:
        """Only what differs from whisper's defaults."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) != f.default}

    def temperatures(self) -> tuple[float, ...]:
        """The fallback ladder as whisper's command line builds it: from `temperature` to 1.0."""
        step = self.temperature_increment_on_fallback
        if step is None:
            return (self.temperature,)
        count = math.floor((1.0 + 1e-6 - self.temperature) / step) + 1
        return tuple(self.temperature + index * step for index in range(count))

    def _check_together(self) -> None:
        if self.patience is not None and self.beam_size is None:
            raise OptionsInvalid("“patience” needs a beam size: set one or clear patience.", option="patience")
        if self.hallucination_silence_threshold is not None and not self.word_timestamps:
            raise OptionsInvalid(
                "“hallucination_silence_threshold” works only with word timestamps: turn them on or clear it.",
                option="hallucination_silence_threshold",
            )


@dataclass(frozen=True, kw_only=True)
class OptionSpec:
    """How one option is asked for and checked. `kind`: text, choice, bool, int or float."""

    name: str
    kind: str
    help: str
    optional: bool = False
    low: float = 0.0
    high: float = 0.0
    choices: tuple[str, ...] = ()

    @property
    def default(self) -> Any:
        return getattr(DecodingOptions(), self.name)

    def parse(self, value: Any) -> Any:
        if value is None or (isinstance(value, str) and value.strip().lower() in NONE_WORDS):
            return self._absent()
        if self.kind == "bool":
            return self._parse_bool(value)
        if self.kind in {"int", "float"}:
            return self._parse_number(value)
        return self._parse_text(str(value))

    def _absent(self) -> Any:
        """None switches an optional limit off, an empty text is none of these; for the others it means the default."""
        if self.kind == "text" and not self.optional:
            return ""
        return None if self.optional else self.default

    def _parse_bool(self, value: Any) -> bool:
        word = str(value).strip().lower()
        if word in {"true", "1", "yes", "on"}:
            return True
        if word in {"false", "0", "no", "off"}:
            return False
        raise self._wrong(value, "True or False")

    def _parse_number(self, value: Any) -> float | int:
        wanted = f"a {'whole ' if self.kind == 'int' else ''}number from {self.low:g} to {self.high:g}"
        try:
            number: float | int = int(str(value)) if self.kind == "int" else float(value)
        except (TypeError, ValueError):
            raise self._wrong(value, wanted) from None
        if not self.low <= number <= self.high:
            raise self._wrong(value, wanted)
        return number

    def _parse_text(self, text: str) -> str:
        if self.choices and text not in self.choices:
            raise self._wrong(text, " or ".join(self.choices))
        if len(text) > PROMPT_LIMIT_CHARS:
            raise self._wrong(f"{text[:20]}…", f"at most {PROMPT_LIMIT_CHARS} characters")
        if self.name == "suppress_tokens":
            self._check_token_ids(text)
        return text

    def _check_token_ids(self, text: str) -> None:
        try:
            ids = [int(part) for part in text.split(",")]
        except ValueError:
            raise self._wrong(text, "numbers separated by commas, or -1") from None
        if not all(-1 <= token < 51_866 for token in ids):  # whisper's largest vocabulary
            raise self._wrong(text, "token numbers from -1 to 51865")

    def _wrong(self, value: Any, wanted: str) -> OptionsInvalid:
        return OptionsInvalid(f"“{self.name}” is {value!r}; it must be {wanted}.", option=self.name)


OPTION_SPECS: tuple[OptionSpec, ...] = (
    OptionSpec(
        name="task",
        kind="choice",
        choices=("transcribe", "translate"),
        help="transcribe keeps the language, translate writes English",
    ),
    OptionSpec(
        name="initial_prompt",
        kind="text",
        optional=True,
        help="Names and spellings to expect, for the first window",
    ),
    OptionSpec(name="carry_initial_prompt", kind="bool", help="Give the initial prompt to every window"),
    OptionSpec(
        name="condition_on_previous_text",
        kind="bool",
        help="Give each window the text before it; off is steadier where a model loops",
    ),
    OptionSpec(name="word_timestamps", kind="bool", help="A time for every word (slower)"),
    OptionSpec(name="temperature", kind="float", low=0, high=1, help="Sampling temperature of the first try"),
    OptionSpec(
        name="temperature_increment_on_fallback",
        kind="float",
        optional=True,
        low=0.05,
        high=1,
        help="Added after a failed try; empty: one try only",
    ),
    OptionSpec(name="beam_size", kind="int", optional=True, low=1, high=20, help="Beams at temperature 0"),
    OptionSpec(name="best_of", kind="int", optional=True, low=1, high=20, help="Candidates above temperature 0"),
    OptionSpec(name="patience", kind="float", optional=True, low=0.1, high=10, help="Patience of the beam search"),
    OptionSpec(
        name="length_penalty",
        kind="float",
        optional=True,
        low=0,
        high=1,
        help="Exponent of the length penalty",
    ),
    OptionSpec(
        name="suppress_tokens", kind="text", help="Token numbers never written; -1: special characters; empty: none"
    ),
    OptionSpec(
        name="compression_ratio_threshold",
        kind="float",
        optional=True,
        low=0.1,
        high=100,
        help="Above it the try counts as a loop",
    ),
    OptionSpec(
        name="logprob_threshold",
        kind="float",
        optional=True,
        low=-100,
        high=0,
        help="Below it the try has failed",
    ),
    OptionSpec(
        name="no_speech_threshold",
        kind="float",
        optional=True,
        low=0,
        high=1,
        help="Above it a failed try counts as silence",
    ),
    OptionSpec(
        name="hallucination_silence_threshold",
        kind="float",
        optional=True,
        low=0,
        high=600,
        help="Seconds of silence to skip around a doubtful word (needs word timestamps)",
    ),
    OptionSpec(name="prepend_punctuations", kind="text", help="Joined to the next word; empty: none"),
    OptionSpec(name="append_punctuations", kind="text", help="Joined to the word before; empty: none"),
)
SPEC_BY_NAME = {spec.name: spec for spec in OPTION_SPECS}

_LINES = "lines of subtitles are as long as Whisper's segments"
# What whisper's command takes beside OPTION_SPECS and the command's own options, and why it is not taken here.
NOT_TAKEN = {
    "clip_timestamps": "a recording is read as a whole: cut the part out first, and transcribe that",
    "model_dir": "the setting J5A_MODELS_DIR says where the weights are",
    "device": "the processor is what is used",
    "fp16": "the processor reckons with 32 bits",
    "verbose": "progress is shown on a terminal, the text in the panel",
    "threads": "the setting J5A_ENGINE_THREADS says it for every job",
    "highlight_words": "json has the time of each word, with --word_timestamps True",
    "max_line_width": _LINES,
    "max_line_count": _LINES,
    "max_words_per_line": _LINES,
}
