"""Commands of the shell: loops, branches, groups, functions, tests."""

from __future__ import annotations

import re
from collections.abc import Callable

from gate.core.audit.findings import Place
from gate.core.audit.lists import CASE_ENDS, ListReader
from gate.core.audit.nodes import (
    Block,
    Case,
    Command,
    Function,
    Group,
    Heredoc,
    If,
    Literal,
    Loop,
    Part,
    Test,
    Word,
)
from gate.core.audit.scanner import Scanner, ShellSyntaxError
from gate.core.audit.words import arithmetic_end

__all__ = ["heredoc_parts", "parse_shell"]

_FUNCTION = re.compile(r"(?P<name>[^\s;&|<>()$'\"`=#]+)[ \t]*\([ \t]*\)")


def parse_shell(text: str, first_line: int = 1) -> tuple[Block, Scanner, list[str]]:
    """The tree as far as it could be read, the scanner with its comments, and what did not fit."""
    scanner = Scanner(text, first_line)
    grammar = _Grammar(scanner, [])
    return grammar.script(), scanner, grammar.problems


def heredoc_parts(heredoc: Heredoc) -> tuple[Part, ...]:
    """The body of a here-document that is not quoted, with what it expands."""
    grammar = _Grammar(Scanner(heredoc.text, heredoc.line), [])
    try:
        return grammar.expanded()
    except ShellSyntaxError:  # a lone sign that the shell would take as it stands, or complain about when it runs
        return (Literal(text=heredoc.text),)


class _Grammar(ListReader):
    def expanded(self) -> tuple[Part, ...]:
        return self._reader.expanded()

    def _command(self) -> Command:
        self._scanner.skip_blanks()
        keyword = self._keyword()
        compound = self._compounds().get(keyword)
        if compound is not None:
            return compound()
        if self._is_arithmetic():
            return Test(words=(self._in_parentheses(),), redirects=self._simple.redirects())
        if self._scanner.starts("("):
            return self._subshell()
        function = self._scanner.match(_FUNCTION)
        if function is not None:
            self._scanner.pos = function.end()
            return self._function(function["name"])
        return self._simple.simple()

    def _compounds(self) -> dict[str, Callable[[], Command]]:
        return {
            "if": self._if,
            "while": self._while,
            "until": self._while,
            "for": self._for,
            "select": self._for,
            "case": self._case,
            "{": self._braces,
            "[[": self._test,
            "function": self._function_keyword,
        }

    def _if(self) -> If:
        line = self._scanner.line
        branches: list[tuple[Block, Block]] = []
        while self._take_keyword("if") or self._take_keyword("elif"):
            condition = self._block("then", "fi")
            self._expect("then", "if", line)
            branches.append((condition, self._block("elif", "else", "fi")))
        otherwise = self._block("fi") if self._take_keyword("else") else None
        self._expect("fi", "if", line)
        return If(branches=tuple(branches), otherwise=otherwise, redirects=self._simple.redirects())

    def _while(self) -> Loop:
        line = self._scanner.line
        is_until = self._keyword() == "until"
        self._take_keyword("until" if is_until else "while")
        condition = self._block("do", "done")
        body = self._do("until" if is_until else "while", line)
        place, redirects = Place(line=line, end_line=self._scanner.line), self._simple.redirects()
        return Loop(place=place, body=body, condition=condition, is_until=is_until, redirects=redirects)

    def _for(self) -> Loop:
        scanner = self._scanner
        line = scanner.line
        keyword = self._keyword()
        self._take_keyword(keyword)
        scanner.skip_blanks()
        variable, words = self._for_head()
        scanner.skip_blanks()
        scanner.take(";")
        scanner.skip_lines()
        body = self._braces().body if self._keyword() == "{" else self._do(keyword, line)
        place, redirects = Place(line=line, end_line=scanner.line), self._simple.redirects()
        return Loop(place=place, body=body, variable=variable, words=words, redirects=redirects)

    def _for_head(self) -> tuple[str, tuple[Word, ...]]:
        """The variable and its words; of `for ((i = 0; i < 9; i++))` no variable and the one in parentheses."""
        if self._is_arithmetic():
            return "", (self._in_parentheses(),)
        variable = self._reader.word().literal or ""
        self._scanner.skip_lines()
        return variable, tuple(self._simple.words()) if self._take_keyword("in") else ()

    def _is_arithmetic(self) -> bool:
        scanner = self._scanner
        return scanner.starts("((") and arithmetic_end(scanner.text, scanner.pos + 2) is not None

    def _in_parentheses(self) -> Word:
        """`(( … ))`. Call it only where _is_arithmetic."""
        line = self._scanner.line
        self._scanner.pos += 2
        return Word(parts=(self._reader.arithmetic(),), line=line)

    def _do(self, opener: str, line: int) -> Block:
        self._scanner.skip_lines()
        self._expect("do", opener, line)
        body = self._block("done")
        self._expect("done", opener, line)
        return body

    def _case(self) -> Case:
        scanner = self._scanner
        line = scanner.line
        self._take_keyword("case")
        scanner.skip_blanks()
        word = self._reader.word()
        scanner.skip_lines()
        self._expect("in", "case", line)
        branches: list[Block] = []
        has_default = False
        while True:
            scanner.skip_lines()
            if scanner.at_end or self._keyword() == "esac":
                break
            has_default |= "*" in self._patterns()
            branches.append(self._block(*CASE_ENDS, "esac"))
            any(scanner.take(end) for end in CASE_ENDS)
        self._expect("esac", "case", line)
        return Case(word=word, branches=tuple(branches), has_default=has_default, redirects=self._simple.redirects())

    def _patterns(self) -> list[str | None]:
        """From the first pattern to behind the parenthesis that ends them."""
        scanner = self._scanner
        scanner.take("(")
        patterns: list[str | None] = []
        while not scanner.at_end and not scanner.take(")"):
            before = scanner.pos
            patterns.append(self._reader.word().literal)
            scanner.skip_blanks()
            scanner.take("|")
            scanner.skip_blanks()
            if scanner.pos == before:
                raise ShellSyntaxError(scanner.line, "this is no pattern of a `case`")
        return patterns

    def _braces(self) -> Group:
        line = self._scanner.line
        self._take_keyword("{")
        body = self._block("}")
        self._expect("}", "{", line)
        return Group(body=body, is_subshell=False, redirects=self._simple.redirects())

    def _subshell(self) -> Group:
        line = self._scanner.line
        self._scanner.take("(")
        body = self._block(")")
        if not self._scanner.take(")"):
            raise ShellSyntaxError(line, "the ( that begins here is not closed")
        return Group(body=body, is_subshell=True, redirects=self._simple.redirects())

    def _function_keyword(self) -> Function:
        self._take_keyword("function")
        self._scanner.skip_blanks()
        name = self._reader.word().literal or ""
        self._scanner.skip_blanks()
        if self._scanner.take("("):
            self._scanner.skip_blanks()
            self._scanner.take(")")
        return self._function(name)

    def _function(self, name: str) -> Function:
        self._scanner.skip_lines()
        return Function(name=name, body=self._command())

    def _test(self) -> Test:
        scanner = self._scanner
        line = scanner.line
        self._take_keyword("[[")
        words: list[Word] = []
        while True:
            scanner.skip_lines()
            if scanner.at_end:
                raise ShellSyntaxError(line, "the [[ that begins here is not closed")
            if self._take_keyword("]]"):
                return Test(words=tuple(words), redirects=self._simple.redirects())
            word = self._reader.word()
            if word.parts:
                words.append(word)
            else:
                scanner.pos += 1  # an operator of the test: they start nothing
