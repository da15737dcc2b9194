"""What the words of a shell script stand for, as far as the file itself says it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from gate.core.audit.nodes import Arithmetic, Block, Literal, Parameter, Part, Substitution, Word, simple_commands

__all__ = ["UNKNOWN", "Values", "substitutions"]

# Stands for what is only known when the script runs. No file with this character is audited, so it cannot collide.
UNKNOWN = "\x00"
_DEFAULTS = frozenset({":-", "-", ":=", "="})
# `$PYTHON -m whisper`: an interpreter by its usual name, set somewhere else.
_PYTHON_VARIABLE = re.compile(r"(?:\w*_)?(?:PYTHON\d*|PY)(?:_(?:BIN|EXE|CMD))?", re.IGNORECASE)


class Values:
    """Variables, lists and positional parameters; the last assignment that was read counts."""

    def __init__(self) -> None:
        # The gate's own setting: whatever it holds, it names the lock's directory.
        self.fixed = {"J5A_LOCK_DIR": "/tmp/j5a_locks"}  # noqa: S108 - a name to recognise, not a file we make
        self.scalars: dict[str, str] = {"WHISPER_LOCKFILE": "/tmp/j5a_locks/whisper_large.lock"}  # noqa: S108
        self.lists: dict[str, list[str]] = {}
        self.positional: list[str] | None = None

    def forget(self, name: str) -> None:
        """It changes while the script runs."""
        self.scalars.pop(name, None)
        self.lists.pop(name, None)

    def assign(self, name: str, value: str, *, appends: bool = False) -> None:
        self.lists.pop(name, None)
        self.scalars[name] = self.scalars.get(name, "") + value if appends else value

    def assign_list(self, name: str, values: list[str], *, appends: bool = False) -> None:
        self.lists[name] = [*self.lists.get(name, []), *values] if appends else values

    def shift(self, count: int) -> None:
        if self.positional is not None:
            self.positional = self.positional[count:]

    def scalar(self, name: str) -> str | None:
        if name.isdigit():
            return self._positional(int(name))
        if name in self.lists:
            return self.lists[name][0] if self.lists[name] else ""
        return self.fixed.get(name, self.scalars.get(name))

    def _positional(self, number: int) -> str | None:
        if self.positional is None or number == 0:
            return None
        return self.positional[number - 1] if number <= len(self.positional) else ""

    def text(self, word: Word | None) -> str:
        """The word as one text."""
        return "" if word is None else " ".join(self.fields([word]))

    def joined(self, parts: Iterable[Part]) -> str:
        """The parts as one text: a here-document."""
        return "".join(" ".join(self._part_fields(part)) for part in parts)

    def fields(self, words: Sequence[Word]) -> list[str]:
        """The arguments that the words become."""
        return [field for word in words for field in self._word_fields(word)]

    def _word_fields(self, word: Word) -> list[str]:
        """Pieces grow together where parts meet, and split where an unquoted value has blanks."""
        fields: list[str] = []
        is_open = False
        for part in word.parts:
            pieces = self._part_fields(part)
            if is_open and pieces:
                fields[-1] += pieces.pop(0)
            fields += pieces
            is_open = bool(fields)
        return fields

    def _part_fields(self, part: Part) -> list[str]:
        if isinstance(part, Literal):
            return [part.text]
        if isinstance(part, Parameter):
            return self._parameter_fields(part)
        if isinstance(part, Substitution):
            return [self._answer(part.body) or UNKNOWN]
        return [UNKNOWN]

    def _parameter_fields(self, part: Parameter) -> list[str]:
        if part.operator in ("", *_DEFAULTS):
            known = self._known(part)
            if known is not None and (any(known) or not part.operator):
                return known
        if part.operator in _DEFAULTS:
            text = self.joined(part.operand)
            return [text] if part.is_quoted else text.split()
        return ["python"] if _PYTHON_VARIABLE.fullmatch(part.name) and not part.operator else [UNKNOWN]

    def _known(self, part: Parameter) -> list[str] | None:
        if part.name in ("@", "*"):
            return None if self.positional is None else list(self.positional)
        if part.subscript in ("@", "*"):
            return None if part.name not in self.lists else list(self.lists[part.name])
        value = None if part.subscript else self.scalar(part.name)
        if value is None:
            return None
        return [value] if part.is_quoted else value.split()

    def _answer(self, body: Block) -> str | None:
        """`$(which whisper)` is whisper, and the gate's count is 1 by definition."""
        commands = list(simple_commands(body))
        if len(commands) != 1:
            return None
        match self.fields(commands[0].words):
            case ["which", name] | ["command", "-v", name] | ["type", "-P" | "-p", name]:
                return name
            case ["calculate_safe_parallel_count"]:
                return "1"
        return None


def substitutions(parts: Iterable[Part]) -> Iterator[Substitution]:
    """Every command substitution in a word, also inside defaults and arithmetic."""
    for part in parts:
        if isinstance(part, Substitution):
            yield part
        elif isinstance(part, Parameter):
            yield from substitutions(part.operand)
        elif isinstance(part, Arithmetic):
            yield from substitutions(part.parts)
