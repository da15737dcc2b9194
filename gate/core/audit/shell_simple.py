"""A simple command of a shell script: its assignments, redirections and arguments; what it starts is a subclass's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gate.core.audit.findings import Place
from gate.core.audit.grammar import heredoc_parts
from gate.core.audit.nodes import Arithmetic, Assignment, Parameter, Part, Redirect, Simple, Substitution, Word
from gate.core.audit.shell_flow import ShellFlow
from gate.core.audit.shell_state import Exits, Site, State
from gate.core.audit.simple import DECLARERS
from gate.core.audit.values import UNKNOWN

__all__ = ["MAX_PARALLEL", "STEPS_LIMIT", "ShellSimple", "TooManyPaths"]

MAX_PARALLEL = re.compile(r"(?:\w+_)?MAX_PARALLEL(?:_\w+)?", re.IGNORECASE)
STEPS_LIMIT = 20_000  # a hand-written script needs some hundreds
_READ_INTO_VARIABLES = frozenset({"read", "mapfile", "readarray"})


class TooManyPaths(Exception):
    """The script is very long, or its functions call each other in a knot."""


class ShellSimple(ShellFlow):
    def __init__(self) -> None:
        super().__init__()
        self._steps = 0
        self._writes = 0

    def run(self, argv: Sequence[str], site: Site, state: State) -> Exits:
        raise NotImplementedError  # a later class of this line has it: shell_flow, _simple, _builtins, shell

    def simple(self, command: Simple, state: State) -> Exits:
        self._steps += 1
        if self._steps > STEPS_LIMIT:
            raise TooManyPaths
        self.redirections(command.redirects, state)
        if any(map(self.is_write, command.redirects)):
            self.note_write()
        stays = not command.words or command.words[0].literal in DECLARERS
        for assignment in command.assignments:
            self._assignment(assignment, state, stays=stays)
        self.expansions(command.words, state)
        for word in command.words:
            self._default_count(word.parts, command.place)
        site, fields = self._site(command)
        return self.run(fields, site, state) if fields else (state, state)

    def note_write(self) -> None:
        self._writes += 1
        for notes in self._loops:
            notes.writes = True

    # ── assignments ───────────────────────────────────────────────────────────────────────────────
    def _assignment(self, assignment: Assignment, state: State, *, stays: bool) -> None:
        words = (assignment.value,) if assignment.array is None else assignment.array
        parts = [part for word in words if word is not None for part in word.parts]
        before = len(self.launches)
        self.expand(parts, state)
        self._note_result(assignment, parts, launched=len(self.launches) > before)
        self._parallel_count(assignment, parts)
        if self.finds_pids(parts):
            self._found_pids.add(assignment.name)
        if stays:
            self._assign(assignment)

    def _assign(self, assignment: Assignment) -> None:
        if assignment.array is not None:
            values = self.values.fields(assignment.array)
            self.values.assign_list(assignment.name, values, appends=assignment.appends)
        else:
            self.values.assign(assignment.name, self.values.text(assignment.value), appends=assignment.appends)

    def _parallel_count(self, assignment: Assignment, parts: Sequence[Part]) -> None:
        self._default_count(parts, assignment.place)
        if not MAX_PARALLEL.fullmatch(assignment.name):
            return
        count = self.values.text(assignment.value)
        if count.isdigit() and int(count) > 1:
            self.hit("J5A002", assignment.place, f"{assignment.name} is {count}.")
        elif UNKNOWN in count and any(isinstance(part, Substitution | Arithmetic) for part in parts):
            self.hit("J5A002", assignment.place, f"{assignment.name} is computed when the script runs.")

    def _default_count(self, parts: Sequence[Part], place: Place) -> None:
        """`${MAX_PARALLEL:-4}`."""
        for part in parts:
            if isinstance(part, Parameter) and MAX_PARALLEL.fullmatch(part.name) and part.operator[-1:] in ("-", "="):
                count = self.values.joined(part.operand)
                if count.isdigit() and int(count) > 1:
                    self.hit("J5A002", place, f"{part.name} is {count} unless something else is set.")

    def _note_result(self, assignment: Assignment, parts: Sequence[Part], *, launched: bool) -> None:
        if not self._loops:
            return
        notes = self._loops[-1]
        names = set(_names(parts))
        if not launched and not names & notes.results:
            return
        if assignment.appends or assignment.name in names:
            notes.kept = notes.kept or assignment.place
        else:
            notes.results.add(assignment.name)

    # ── arguments ─────────────────────────────────────────────────────────────────────────────────
    def _site(self, command: Simple) -> tuple[Site, list[str]]:
        fields: list[str] = []
        positional: list[int] = []
        text_line = command.place.line
        for word in reversed(command.words):
            text_line = word.line if any("\n" in field for field in self.values.fields([word])) else text_line
        for word in command.words:
            new = self.values.fields([word])
            if self.values.positional is not None and _is_positional(word):
                positional += range(len(fields), len(fields) + len(new))
            fields += new
        text, line = self._standard_input(command.redirects)
        found = [word for word in command.words if self.finds_pids(word.parts)]
        site = Site(
            place=command.place,
            length=len(fields),
            positional=frozenset(positional),
            text_line=text_line,
            standard_input=text,
            input_line=line,
            has_found_pids=bool(found) or self._fed_by(command.redirects).gets_pids,
        )
        self._note_read_pids(fields, site)
        return site, fields

    def _note_read_pids(self, fields: Sequence[str], site: Site) -> None:
        """`mapfile -t PIDS < <(pgrep whisper)`, `pgrep whisper | while read -r pid`."""
        if fields and fields[0] in _READ_INTO_VARIABLES and site.has_found_pids:
            self._found_pids.update(name for name in fields[1:] if name.isidentifier())

    def _standard_input(self, redirects: Sequence[Redirect]) -> tuple[str | None, int]:
        for redirect in redirects:
            if redirect.heredoc is not None:
                here = redirect.heredoc
                return here.text if here.is_quoted else self.values.joined(heredoc_parts(here)), here.line
            if redirect.operator == "<<<" and redirect.target is not None:
                return self.values.text(redirect.target), redirect.target.line
        return None, 0


def _names(parts: Sequence[Part]) -> Iterator[str]:
    return (part.name for part in parts if isinstance(part, Parameter))


def _is_positional(word: Word) -> bool:
    return any(name in ("@", "*") or name.isdigit() for name in _names(word.parts))
