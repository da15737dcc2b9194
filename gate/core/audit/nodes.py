"""A shell script as a tree. Only what the audit asks about is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from gate.core.audit.findings import Place

__all__ = [
    "AndOr",
    "Arithmetic",
    "Assignment",
    "Block",
    "Case",
    "Command",
    "Function",
    "Group",
    "Heredoc",
    "If",
    "Literal",
    "Loop",
    "Parameter",
    "Part",
    "Pipeline",
    "Redirect",
    "Simple",
    "Statement",
    "Substitution",
    "Test",
    "Word",
    "inner_commands",
    "simple_commands",
]


# ── words ────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, kw_only=True, slots=True)
class Literal:
    text: str
    is_quoted: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """`$name`, `${name[@]}`, `${name:-operand}`; `operator` is empty, a default's sign, or `other`."""

    name: str
    subscript: str = ""
    operator: str = ""
    operand: tuple[Part, ...] = ()
    is_quoted: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Substitution:
    """`$(…)`, backticks, `<(…)`, `>(…)`."""

    body: Block
    is_quoted: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Arithmetic:
    parts: tuple[Part, ...]


Part: TypeAlias = Literal | Parameter | Substitution | Arithmetic


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    parts: tuple[Part, ...]
    line: int

    @property
    def literal(self) -> str | None:
        """The text, when nothing in it is expanded."""
        texts = [part.text for part in self.parts if isinstance(part, Literal)]
        return "".join(texts) if len(texts) == len(self.parts) else None


# ── commands ─────────────────────────────────────────────────────────────────────────────────────
@dataclass(kw_only=True, slots=True)
class Heredoc:
    """Filled when the line that announces it ends. `line` is the first of the body."""

    delimiter: str
    is_quoted: bool
    strips_tabs: bool
    line: int = 0
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Redirect:
    operator: str
    descriptor: str
    target: Word | None
    heredoc: Heredoc | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Assignment:
    """`appends`: `name+=` or `name[key]=`, which leave the rest of the value."""

    name: str
    place: Place
    value: Word | None
    array: tuple[Word, ...] | None = None
    appends: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Simple:
    place: Place
    assignments: tuple[Assignment, ...] = ()
    words: tuple[Word, ...] = ()
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Test:
    """`[[ … ]]` and `(( … ))`: they start nothing but what they substitute."""

    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    body: Block
    is_subshell: bool
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class If:
    branches: tuple[tuple[Block, Block], ...]
    otherwise: Block | None
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Loop:
    """`condition` is None for `for` and `select`; `variable` and `words` are theirs."""

    place: Place
    body: Block
    condition: Block | None = None
    is_until: bool = False
    variable: str = ""
    words: tuple[Word, ...] = ()
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    word: Word
    branches: tuple[Block, ...]
    has_default: bool
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Function:
    name: str
    body: Command
    redirects: tuple[Redirect, ...] = ()


Command: TypeAlias = Simple | Test | Group | If | Loop | Case | Function


@dataclass(frozen=True, kw_only=True, slots=True)
class Pipeline:
    commands: tuple[Command, ...]
    is_negated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AndOr:
    first: Pipeline
    rest: tuple[tuple[str, Pipeline], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    place: Place
    chain: AndOr
    in_background: bool = False

    @property
    def is_plain(self) -> bool:
        """One command by itself: `set -e` looks at its exit code."""
        return not self.chain.rest and not self.chain.first.is_negated


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    statements: tuple[Statement, ...] = field(default=())


def simple_commands(block: Block) -> Iterator[Simple]:
    """Every simple command in the block, in loops and branches too; not in substitutions."""
    for statement in block.statements:
        for pipeline in (statement.chain.first, *(pipeline for _, pipeline in statement.chain.rest)):
            for command in pipeline.commands:
                yield from inner_commands(command)


def inner_commands(command: Command) -> Iterator[Simple]:
    """The same for one command, itself included."""
    if isinstance(command, Simple):
        yield command
    for block in _blocks(command):
        yield from simple_commands(block)


def _blocks(command: Command) -> list[Block]:
    if isinstance(command, Group):
        return [command.body]
    if isinstance(command, Loop):
        return [command.condition or Block(), command.body]
    if isinstance(command, Case):
        return list(command.branches)
    if isinstance(command, If):
        return [*(block for branch in command.branches for block in branch), command.otherwise or Block()]
    return []
