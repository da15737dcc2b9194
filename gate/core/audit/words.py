"""Words of the shell: quotes, `$name`, `${…}`, `$(…)`, backticks."""

from __future__ import annotations

import re
from collections.abc import Callable

from gate.core.audit.nodes import Arithmetic, Block, Literal, Parameter, Part, Substitution, Word
from gate.core.audit.scanner import Scanner, ShellSyntaxError

__all__ = ["ParseBlock", "WordReader", "arithmetic_end"]

# Parses commands from the scanner's position up to a closing parenthesis, which it leaves.
ParseBlock = Callable[[Scanner], Block]

_NAME = re.compile(r"[A-Za-z_]\w*|\d|[@*#?$!-]")
_BRACED = re.compile(r"[!#]?(?:[A-Za-z_]\w*|\d+|[@*#?$!-])(?:\[(?P<subscript>[^\]]*)\])?")
_DEFAULT = re.compile(r":?[-=+?]")
_PLAIN = re.compile(r"[^\s\\'\"`$;&|<>(){}?*+@!]+")
_ARITHMETIC_LIMIT = 4000  # characters; so that a file full of open parentheses is not read to its end for each
_ENDS_WORD = frozenset(" \t\n;&|<>()")
_EXTENDED_GLOB = re.compile(r"[?*+@!]\(")


def arithmetic_end(text: str, pos: int) -> int | None:
    """Where the `))` stands that closes an arithmetic text begun at `pos`; None: it is a subshell in parentheses."""
    depth = 0
    for at in range(pos, min(len(text), pos + _ARITHMETIC_LIMIT)):
        char = text[at]
        if char == "(":
            depth += 1
        elif char == ")" and depth:
            depth -= 1
        elif char == ")":
            return at if text.startswith("))", at) else None
    return None


class WordReader:
    """Reads words at the scanner's position."""

    def __init__(self, scanner: Scanner, parse_block: ParseBlock) -> None:
        self._scanner = scanner
        self._parse_block = parse_block

    def word(self) -> Word:
        """Up to the next blank or operator; without parts when nothing of a word stands here."""
        line = self._scanner.line
        parts: list[Part] = []
        while not self._scanner.at_end and (piece := self._piece()) is not None:
            parts += piece
        return Word(parts=tuple(parts), line=line)

    def expanded(self) -> tuple[Part, ...]:
        """The whole rest, as between double quotes: the body of a here-document."""
        parts: list[Part] = []
        while not self._scanner.at_end:
            parts.append(self._quoted_piece())
        return tuple(parts)

    def arithmetic(self) -> Arithmetic:
        """From behind `((` to behind `))`. Call it only where arithmetic_end finds one."""
        scanner = self._scanner
        end = arithmetic_end(scanner.text, scanner.pos) or scanner.pos
        inner = Scanner(scanner.text[scanner.pos : end], scanner.line)
        scanner.pos = end + 2
        return Arithmetic(parts=WordReader(inner, self._parse_block).expanded())

    # ── pieces of a word ──────────────────────────────────────────────────────────────────────────
    def _piece(self) -> tuple[Part, ...] | None:
        scanner = self._scanner
        if scanner.starts("<(") or scanner.starts(">("):
            scanner.pos += 2
            return (self._substitution(is_quoted=False),)
        if scanner.match(_EXTENDED_GLOB):
            return (self._extended_glob(),)
        if scanner.peek() in _ENDS_WORD:
            return None
        return self._unquoted_piece()

    def _unquoted_piece(self) -> tuple[Part, ...]:
        char = self._scanner.peek()
        if char == '"':
            return self._double_quoted()
        if self._scanner.starts('$"'):
            self._scanner.pos += 1
            return self._double_quoted()
        return (self._unquoted_part(char),)

    def _unquoted_part(self, char: str) -> Part:
        if char == "'":
            return self._single_quoted()
        if char == "$":
            return self._ansi_quoted() if self._scanner.starts("$'") else self._dollar(is_quoted=False)
        if char == "`":
            return self._backticks(is_quoted=False)
        if char == "\\":
            return self._escaped()
        plain = self._scanner.match(_PLAIN)
        text = plain[0] if plain else char
        self._scanner.pos += len(text)
        return Literal(text=text)

    def _escaped(self) -> Literal:
        text = self._scanner.peek(2)
        self._scanner.pos += 2
        return Literal(text="" if text == "\\\n" else text[1:], is_quoted=True)

    def _single_quoted(self) -> Literal:
        scanner = self._scanner
        end = scanner.text.find("'", scanner.pos + 1)
        if end < 0:
            raise ShellSyntaxError(scanner.line, "the quote that begins here (') is not closed")
        text = scanner.text[scanner.pos + 1 : end]
        scanner.pos = end + 1
        return Literal(text=text, is_quoted=True)

    def _ansi_quoted(self) -> Literal:
        """`$'…'`: a backslash may protect a quote."""
        scanner = self._scanner
        found = scanner.match(re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.DOTALL))
        if found is None:
            raise ShellSyntaxError(scanner.line, "the quote that begins here ($') is not closed")
        scanner.pos = found.end()
        return Literal(text=found[1].replace(r"\n", "\n").replace(r"\'", "'"), is_quoted=True)

    def _double_quoted(self) -> tuple[Part, ...]:
        scanner = self._scanner
        begun = scanner.line
        scanner.pos += 1
        parts: list[Part] = []
        while not scanner.take('"'):
            if scanner.at_end:
                raise ShellSyntaxError(begun, 'the quote that begins here (") is not closed')
            parts.append(self._quoted_piece())
        return tuple(parts) or (Literal(text="", is_quoted=True),)

    def _quoted_piece(self) -> Part:
        scanner = self._scanner
        char = scanner.peek()
        if char == "$":
            return self._dollar(is_quoted=True)
        if char == "`":
            return self._backticks(is_quoted=True)
        if char == "\\" and len(scanner.peek(2)) == 2:
            return self._escaped_in_quotes()
        end = next((at for at in range(scanner.pos + 1, len(scanner.text)) if scanner.text[at] in '$`\\"'), None)
        text = scanner.text[scanner.pos : end]
        scanner.pos += len(text)
        return Literal(text=text, is_quoted=True)

    def _escaped_in_quotes(self) -> Literal:
        text = self._scanner.peek(2)
        self._scanner.pos += 2
        if text == "\\\n":
            return Literal(text="", is_quoted=True)
        return Literal(text=text[1:] if text[1] in '$`"\\' else text, is_quoted=True)

    def _extended_glob(self) -> Literal:
        """`!(*.wav)`: taken over as it stands."""
        scanner = self._scanner
        start, depth = scanner.pos, 0
        while not scanner.at_end:
            char = scanner.peek()
            scanner.pos += 1
            depth += (char == "(") - (char == ")")
            if char == ")" and not depth:
                break
        return Literal(text=scanner.text[start : scanner.pos])

    # ── expansions ────────────────────────────────────────────────────────────────────────────────
    def _dollar(self, *, is_quoted: bool) -> Part:
        scanner = self._scanner
        if scanner.starts("$((") and arithmetic_end(scanner.text, scanner.pos + 3) is not None:
            scanner.pos += 3
            return self.arithmetic()
        if scanner.take("$("):
            return self._substitution(is_quoted=is_quoted)
        if scanner.take("${"):
            return self._braced(is_quoted=is_quoted)
        scanner.pos += 1
        name = scanner.match(_NAME)
        if name is None:
            return Literal(text="$", is_quoted=is_quoted)
        scanner.pos = name.end()
        return Parameter(name=name[0], is_quoted=is_quoted)

    def _substitution(self, *, is_quoted: bool) -> Substitution:
        """From behind the opening parenthesis to behind the closing one."""
        begun = self._scanner.line
        body = self._parse_block(self._scanner)
        if not self._scanner.take(")"):
            raise ShellSyntaxError(begun, "the $( that begins here is not closed")
        return Substitution(body=body, is_quoted=is_quoted)

    def _backticks(self, *, is_quoted: bool) -> Substitution:
        scanner = self._scanner
        found = scanner.match(re.compile(r"`((?:[^`\\]|\\.)*)`", re.DOTALL))
        if found is None:
            raise ShellSyntaxError(scanner.line, "the backtick that begins here is not closed")
        inner = Scanner(re.sub(r"\\([`\\$])", r"\1", found[1]), scanner.line)
        body = self._parse_block(inner)
        scanner.comments += inner.comments
        scanner.pos = found.end()
        return Substitution(body=body, is_quoted=is_quoted)

    def _braced(self, *, is_quoted: bool) -> Parameter:
        """From behind `${` to behind the closing brace."""
        scanner = self._scanner
        begun = scanner.line
        head = scanner.match(_BRACED)
        name, subscript = ("", "") if head is None else (head[0].partition("[")[0], head["subscript"] or "")
        scanner.pos = scanner.pos if head is None else head.end()
        sign = scanner.match(_DEFAULT)
        scanner.pos = scanner.pos if sign is None else sign.end()
        operand = self._until_brace(begun, is_quoted=is_quoted)
        operator = sign[0] if sign is not None else "other" if operand else ""
        return Parameter(name=name, subscript=subscript, operator=operator, operand=operand, is_quoted=is_quoted)

    def _until_brace(self, begun: int, *, is_quoted: bool) -> tuple[Part, ...]:
        scanner = self._scanner
        parts: list[Part] = []
        while not scanner.take("}"):
            if scanner.at_end:
                raise ShellSyntaxError(begun, "the ${ that begins here is not closed")
            if is_quoted and scanner.peek() == "'":  # only a quote sign here
                scanner.pos += 1
                parts.append(Literal(text="'", is_quoted=True))
            else:
                parts += self._unquoted_piece()
        return tuple(parts)
