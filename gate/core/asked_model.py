"""Which model a Whisper command line loads, read from its own arguments; what is not known counts as the largest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from gate.core.processes import program_arguments, whisper_program
from gate.core.requirement import MODEL_NAMES, requirement_for_model

__all__ = ["LARGEST", "AskedModel", "asked_model", "gate_model", "larger_name", "largest_asked", "model_named_by"]

# The name of the largest requirement; of several, the one that the protocol is about.
LARGEST = "large-v3"


@dataclass(frozen=True, slots=True)
class AskedModel:
    """`name` is one that has a requirement. `text`: what the command line says; empty for the program's default."""

    program: str
    name: str
    text: str = ""
    is_known: bool = True

    @property
    def phrase(self) -> str:
        """For a sentence: `large-v3`, `my-model, which is not known and counts as large-v3`."""
        if not self.is_known:
            said = self.text or f"{self.program}’s default model"
            return f"{said}, which is not known and counts as {self.name}"
        return self.name if self.text else f"{self.name}, the default of {self.program}"


# Without an option. whisper: openai-whisper 20250625, `transcribe.cli`; whisper-ctranslate2 and whisperX: their
# argument parsers of 2025; whisper.cpp 1.7: examples/cli; the others: their READMEs of 2025.
_DEFAULTS = {
    "whisper": "turbo",
    "whisper-ctranslate2": "small",
    "whisperx": "small",
    "whisper-timestamped": "small",
    "insanely-fast-whisper": "large-v3",
    "faster-whisper-xxl": "medium",
    "whisper-faster": "medium",
}
_WHISPER_CPP = frozenset(
    {
        "whisper-cli",
        "whisper-cpp",
        "whisper-server",
        "whisper-stream",
        "whisper-command",
        "whisper-bench",
        "whisper.cpp",
    }
)
_WHISPER_CPP_DEFAULT = "base.en"  # models/ggml-base.en.bin
# Options of these programs that name a model. None of them has one of these for anything else.
_OPTIONS = frozenset(
    {"-m", "--model", "--model_size_or_path"}
    | {f"--model{joint}{noun}" for joint in "-_" for noun in ("name", "size", "path", "directory", "id")}
)
_ONLY_ASKS = frozenset({"-h", "--help", "--version"})
_ENDING = re.compile(r"\.(?:bin|pt|pth|gguf|safetensors|mlmodelc)$", re.IGNORECASE)
# Longest first: `large-v3-turbo` is not `large`. A distilled model counts as the one it was made from.
_SIZES = tuple(sorted(MODEL_NAMES, key=lambda name: -len(name)))
_AT_BORDERS = {name: re.compile(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])") for name in _SIZES}


def asked_model(argv: Sequence[str]) -> AskedModel | None:
    """The largest model that this command line names; None when it is no Whisper, or only asks for help."""
    program = whisper_program(argv)
    if program is None or _ONLY_ASKS.intersection(argv):
        return None
    named = (model_named_by(program, text) for text in _values(program_arguments(argv)))
    return largest_asked(named) or _default(program)


def model_named_by(program: str, text: str) -> AskedModel:
    """By a name, a repository's name or a path: `large`, `Systran/faster-whisper-large-v3`, `models/ggml-tiny.bin`."""
    size = _size_in(text)
    return AskedModel(program, size or LARGEST, text=text, is_known=size is not None)


def gate_model(text: str) -> str:
    """What the gate is asked for by this word, as a name with a requirement; empty for a path or a variable."""
    return "tiny" if text == "demo" else text if text in MODEL_NAMES else ""


def largest_asked(models: Iterable[AskedModel]) -> AskedModel | None:
    return max(models, key=lambda model: requirement_for_model(model.name).bytes, default=None)


def larger_name(one: str, other: str) -> bool:
    """Whether the first model needs more memory than the second; both have a requirement."""
    return requirement_for_model(one).bytes > requirement_for_model(other).bytes


def _default(program: str) -> AskedModel:
    name = _WHISPER_CPP_DEFAULT if program in _WHISPER_CPP else _DEFAULTS.get(program)
    return AskedModel(program, LARGEST, is_known=False) if name is None else AskedModel(program, name)


def _values(arguments: Sequence[str]) -> Iterator[str]:
    """`--model large`, `--model=large`, `-m large`, `-mlarge`."""
    for at, word in enumerate(arguments):
        option, has_value, value = word.partition("=")
        if word == "--":
            return
        if word in _OPTIONS:
            if at + 1 < len(arguments):
                yield arguments[at + 1]
        elif has_value and option in _OPTIONS:
            yield value
        elif re.fullmatch(r"-m[^-=].*", word) and _size_in(word[2:]) is not None:
            yield word[2:]


def _size_in(text: str) -> str | None:
    """The model that the last part of a name or path speaks of; None when it is none of Whisper's own."""
    name = _ENDING.sub("", PurePosixPath(text.rstrip("/")).name).lower().replace("_", "-")
    return next((size for size in _SIZES if _AT_BORDERS[size].search(name)), None)
