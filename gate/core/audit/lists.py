"""Lists and pipelines of the shell, and its reserved words.

Tolerant: what does not fit is noted as a problem and passed over, so that the rest of the file is still audited.
"""

from __future__ import annotations

import re

from gate.core.audit.findings import Place
from gate.core.audit.nodes import AndOr, Block, Command, Pipeline, Statement
from gate.core.audit.scanner import Scanner, ShellSyntaxError
from gate.core.audit.simple import SimpleReader
from gate.core.audit.words import WordReader

__all__ = ["CASE_ENDS", "ListReader"]

_KEYWORD = re.compile(
    r"(?:if|then|elif|else|fi|for|while|until|select|do|done|case|esac|in|function|\{|\}|!|\[\[|\]\])"
    r"(?=[\s;&|<>()]|$)"
)
_CLOSERS = frozenset({"then", "elif", "else", "fi", "do", "done", "esac", "}"})
# `time` in front of a whole loop or group; in front of a command it is like any other prefix.
_TIME = re.compile(r"time[ \t]+(?:-p[ \t]+)?(?=(?:for|while|until|if|case|\{|\[\[)\s|\()")
_COPROC = re.compile(r"coproc[ \t]+(?:\w+[ \t]+(?=[{(]))?")
CASE_ENDS = (";;&", ";;", ";&")


class ListReader:
    """Reads lists at the scanner's position; a subclass reads the commands in them."""

    def __init__(self, scanner: Scanner, problems: list[str]) -> None:
        self.problems = problems
        self._scanner = scanner
        self._reader = WordReader(scanner, self._nested_block)
        self._simple = SimpleReader(scanner, self._reader)

    def _command(self) -> Command:
        raise NotImplementedError  # grammar.py has it

    def script(self) -> Block:
        """The whole text; from a syntax error on the rest is left out."""
        statements: list[Statement] = []
        try:
            while not self._scanner.at_end:
                self._statements(statements)
                if not self._scanner.at_end:
                    self._pass_over()
        except ShellSyntaxError as error:
            self.problems.append(str(error))
        except RecursionError:
            self.problems.append(f"line {self._scanner.line}: nested too deeply to be followed")
        return Block(statements=tuple(statements))

    def _nested_block(self, scanner: Scanner) -> Block:
        """Commands in `$(…)` or backticks, up to a closing parenthesis or the end."""
        return type(self)(scanner, self.problems)._block(")")

    def _block(self, *closers: str) -> Block:
        """Up to one of the closers, which stays; anything else that closes is passed over."""
        statements: list[Statement] = []
        while True:
            self._statements(statements)
            if self._scanner.at_end or self._closes(closers):
                return Block(statements=tuple(statements))
            self._pass_over()

    def _closes(self, closers: tuple[str, ...]) -> bool:
        keyword = self._keyword()
        return any(closer == keyword or (not closer.isalpha() and self._scanner.starts(closer)) for closer in closers)

    def _pass_over(self) -> None:
        """A closing word or sign that nothing opened."""
        text = self._keyword() or self._scanner.peek()
        self.problems.append(f"line {self._scanner.line}: `{text}` closes nothing that is open")
        self._scanner.pos += max(1, len(text))

    def _statements(self, into: list[Statement]) -> None:
        while True:
            self._scanner.skip_lines()
            if self._scanner.at_end or self._keyword() in _CLOSERS or self._scanner.starts(")"):
                return
            if any(self._scanner.starts(end) for end in CASE_ENDS):
                return
            before = self._scanner.pos
            into.append(self._statement())
            if self._scanner.pos == before:
                self._pass_over()

    # ── lists and pipelines ───────────────────────────────────────────────────────────────────────
    def _statement(self) -> Statement:
        scanner = self._scanner
        line = scanner.line
        in_background = self._take(_COPROC)
        chain = self._chain()
        scanner.skip_blanks()
        place = Place(line=line, end_line=max(line, scanner.line))
        if scanner.starts("&") and not scanner.starts("&&"):
            scanner.pos += 1
            in_background = True
            if scanner.peek() in ("!", "|"):  # zsh: in the background, and forgotten
                scanner.pos += 1
        elif scanner.starts(";") and not any(scanner.starts(end) for end in CASE_ENDS):
            scanner.pos += 1
        return Statement(place=place, chain=chain, in_background=in_background)

    def _chain(self) -> AndOr:
        first = self._pipeline()
        rest: list[tuple[str, Pipeline]] = []
        while True:
            self._scanner.skip_blanks()
            operator = self._scanner.peek(2)
            if operator not in ("&&", "||"):
                return AndOr(first=first, rest=tuple(rest))
            self._scanner.pos += 2
            self._scanner.skip_lines()
            rest.append((operator, self._pipeline()))

    def _pipeline(self) -> Pipeline:
        is_negated = False
        while self._take_keyword("!"):
            self._scanner.skip_blanks()
            is_negated = not is_negated
        self._take(_TIME)
        commands = [self._command()]
        while True:
            self._scanner.skip_blanks()
            if not self._scanner.starts("|") or self._scanner.starts("||"):
                return Pipeline(commands=tuple(commands), is_negated=is_negated)
            self._scanner.pos += 2 if self._scanner.starts("|&") else 1
            self._scanner.skip_lines()
            commands.append(self._command())

    # ── reserved words ────────────────────────────────────────────────────────────────────────────
    def _keyword(self) -> str:
        """The reserved word that stands here, or nothing."""
        found = self._scanner.match(_KEYWORD)
        return "" if found is None else found[0]

    def _take(self, pattern: re.Pattern[str]) -> bool:
        found = self._scanner.match(pattern)
        self._scanner.pos = self._scanner.pos if found is None else found.end()
        return found is not None

    def _take_keyword(self, keyword: str) -> bool:
        return self._keyword() == keyword and self._scanner.take(keyword)

    def _expect(self, keyword: str, opener: str, line: int) -> None:
        self._scanner.skip_lines()
        if not self._take_keyword(keyword):
            self.problems.append(f"line {self._scanner.line}: `{keyword}` is missing for the `{opener}` of line {line}")
