"""Simple commands of the shell: assignments, words, redirections."""

from __future__ import annotations

import re

from gate.core.audit.findings import Place
from gate.core.audit.nodes import Assignment, Heredoc, Redirect, Simple, Word
from gate.core.audit.scanner import Scanner, ShellSyntaxError
from gate.core.audit.words import WordReader

__all__ = ["DECLARERS", "SimpleReader"]

# Builtins whose arguments are assignments too.
DECLARERS = frozenset({"declare", "export", "local", "readonly", "typeset"})
_REDIRECT = re.compile(r"(?P<descriptor>\d+|\{\w+\})?(?P<operator>&>>|&>|<<<|<<-|<<|<>|>>|>\||>&|<&|<(?!\()|>(?!\())")
_ASSIGNMENT = re.compile(r"(?P<name>[A-Za-z_]\w*)(?P<element>\[[^\]\n]*\])?(?P<appends>\+?)=")
_QUOTING = re.compile(r"[\\'\"]")


class SimpleReader:
    """Reads at the scanner's position."""

    def __init__(self, scanner: Scanner, reader: WordReader) -> None:
        self._scanner = scanner
        self._reader = reader

    def simple(self) -> Simple:
        scanner = self._scanner
        line, end_line = scanner.line, scanner.line
        assignments: list[Assignment] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        while True:
            scanner.skip_blanks()
            if (redirect := self._redirect()) is not None:
                redirects.append(redirect)
            elif _takes_assignments(words) and (assignment := self._assignment()) is not None:
                assignments.append(assignment)
            elif (word := self._reader.word()).parts:
                words.append(word)
            else:
                break
            end_line = scanner.line
        place = Place(line=line, end_line=end_line)
        return Simple(place=place, assignments=tuple(assignments), words=tuple(words), redirects=tuple(redirects))

    def _assignment(self) -> Assignment | None:
        scanner = self._scanner
        line = scanner.line
        head = scanner.match(_ASSIGNMENT)
        if head is None:
            return None
        scanner.pos = head.end()
        array = self._array() if scanner.starts("(") else None
        value = None if array is not None else self._reader.word()
        place = Place(line=line, end_line=scanner.line)
        return Assignment(
            name=head["name"], place=place, value=value, array=array, appends=bool(head["appends"] or head["element"])
        )

    def _array(self) -> tuple[Word, ...]:
        scanner = self._scanner
        line = scanner.line
        scanner.take("(")
        words: list[Word] = []
        while True:
            words += self.words()
            scanner.skip_lines()
            if scanner.take(")"):
                return tuple(words)
            if scanner.at_end:
                raise ShellSyntaxError(line, "the list that begins here is not closed")
            if not self._reader.word().parts:
                scanner.pos += 1

    def words(self) -> list[Word]:
        words: list[Word] = []
        while True:
            self._scanner.skip_blanks()
            word = self._reader.word()
            if not word.parts:
                return words
            words.append(word)

    def redirects(self) -> tuple[Redirect, ...]:
        redirects: list[Redirect] = []
        while True:
            self._scanner.skip_blanks()
            redirect = self._redirect()
            if redirect is None:
                return tuple(redirects)
            redirects.append(redirect)

    def _redirect(self) -> Redirect | None:
        scanner = self._scanner
        head = scanner.match(_REDIRECT)
        if head is None:
            return None
        scanner.pos = head.end()
        operator, descriptor = head["operator"], head["descriptor"] or ""
        scanner.skip_blanks()
        start = scanner.pos
        target = self._reader.word()
        if operator not in ("<<", "<<-"):
            return Redirect(operator=operator, descriptor=descriptor, target=target)
        raw = scanner.text[start : scanner.pos]
        heredoc = Heredoc(
            delimiter=_QUOTING.sub("", raw),
            is_quoted=_QUOTING.search(raw) is not None,
            strips_tabs=operator == "<<-",
        )
        scanner.announced.append(heredoc)
        return Redirect(operator=operator, descriptor=descriptor, target=None, heredoc=heredoc)


def _takes_assignments(words: list[Word]) -> bool:
    return not words or words[0].literal in DECLARERS
