"""What is known at one point of a shell script: is the lock held, is the gate sourced, does a failure end it?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TypeAlias

from gate.core.asked_model import larger_name
from gate.core.audit.findings import Place

__all__ = [
    "IGNORED",
    "NOT_SOURCED",
    "RELEASED",
    "Context",
    "Exits",
    "LoopNotes",
    "Site",
    "State",
    "either",
    "either_exits",
]

IGNORED = "acquire_whisper_lock may have said no by then, and the script goes on"
NOT_SOURCED = "acquire_whisper_lock is called, but this file does not source resource_safety_gate.sh"
RELEASED = "the lock was given back before"


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """`why`: what stands in the way of `held`, for the message. `asked`: the model the gate was asked for, if known."""

    held: bool = False
    asked: str = ""
    sourced: bool = False
    errexit: bool = False
    why: str = ""


# After a success, and after a failure; None: it does not come back.
Exits: TypeAlias = tuple[State | None, State | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """Around a command. `caller`: where the function was called; `unchecked`: in a condition, where errexit sleeps."""

    background: Place | None = None
    parallel: Place | None = None
    caller: Place | None = None
    depth: int = 0
    unchecked: bool = False
    gets_pids: bool = False  # its standard input is PIDs that were found by a word

    def gated_alone(self) -> Context:
        """Under `gate run`: each waits for the lock, whoever started them side by side."""
        return replace(self, background=None, parallel=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """Where a command line stands. `positional`: which of its fields came from `$1` or `$@`."""

    place: Place
    length: int
    positional: frozenset[int] = frozenset()
    text_line: int = 0  # where its text of several lines begins
    standard_input: str | None = None  # the here-document, when there is one
    input_line: int = 0
    has_found_pids: bool = False
    skips_functions: bool = False


@dataclass(kw_only=True, slots=True)
class LoopNotes:
    """What happened inside a loop."""

    place: Place
    writes: bool = False
    results: set[str] = field(default_factory=set)  # variables that hold one result
    kept: Place | None = None  # where results are put together


def either(*states: State | None) -> State | None:
    """What holds whichever of them it was."""
    return reduce(_either, states)


def either_exits(exits: Iterable[Exits]) -> Exits:
    pairs = list(exits)
    return either(*(success for success, _ in pairs)), either(*(failure for _, failure in pairs))


def _smaller(one: str, other: str) -> str:
    """The model that is surely asked for; empty where one of them is not known."""
    if not one or not other:
        return ""
    return other if larger_name(one, other) else one


def _either(one: State | None, other: State | None) -> State | None:
    if one is None or other is None:
        return other if one is None else one
    why = one.why or other.why
    if one.held != other.held:
        why = (other if one.held else one).why or IGNORED
    return State(
        held=one.held and other.held,
        asked=_smaller(one.asked, other.asked),
        sourced=one.sourced or other.sourced,
        errexit=one.errexit and other.errexit,
        why=why,
    )
