"""Characters of a shell script: position, lines, blanks, comments, bodies of here-documents."""

from __future__ import annotations

import re
from bisect import bisect_right

from gate.core.audit.findings import Comment
from gate.core.audit.nodes import Heredoc

__all__ = ["Scanner", "ShellSyntaxError"]

_BLANKS = re.compile(r"(?:[ \t]|\\\n)*")
_COMMENT = re.compile(r"#[^\n]*")


class ShellSyntaxError(Exception):
    """The text cannot be read on from here."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        super().__init__(f"line {line}: {reason}")


class Scanner:
    """A text and a position in it. `first_line` is the number of its first line in the file."""

    def __init__(self, text: str, first_line: int = 1) -> None:
        self.text = text
        self.pos = 0
        self.comments: list[Comment] = []
        self.announced: list[Heredoc] = []  # here-documents whose bodies begin after this line
        self.first_line = first_line
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]

    @property
    def at_end(self) -> bool:
        return self.pos >= len(self.text)

    @property
    def line(self) -> int:
        return self.line_at(self.pos)

    def line_at(self, pos: int) -> int:
        return self.first_line - 1 + bisect_right(self._line_starts, pos)

    def peek(self, count: int = 1) -> str:
        return self.text[self.pos : self.pos + count]

    def starts(self, text: str) -> bool:
        return self.text.startswith(text, self.pos)

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The pattern here, without moving."""
        return pattern.match(self.text, self.pos)

    def take(self, text: str) -> bool:
        """Move over the text when it stands here."""
        if not self.starts(text):
            return False
        self.pos += len(text)
        return True

    def skip_blanks(self) -> None:
        """Blanks, joined lines, and a comment: it can only begin where a word could."""
        self.pos = self._match_end(_BLANKS)
        if self.peek() == "#":
            self._comment()

    def skip_lines(self) -> None:
        """Everything that separates commands, line ends included."""
        while True:
            self.skip_blanks()
            if not self.newline():
                return

    def newline(self) -> bool:
        """Move over a line end, and over the here-documents that it begins."""
        if not self.take("\n"):
            return False
        for heredoc in self.announced:
            self._heredoc_body(heredoc)
        self.announced.clear()
        return True

    def _comment(self) -> None:
        end = self._match_end(_COMMENT)
        start = self._line_starts[bisect_right(self._line_starts, self.pos) - 1]
        is_alone = not self.text[start : self.pos].strip()
        self.comments.append(Comment(line=self.line, text=self.text[self.pos : end], is_alone=is_alone))
        self.pos = end

    def _heredoc_body(self, heredoc: Heredoc) -> None:
        """A missing end mark ends with the text, as shells have it."""
        heredoc.line = self.line
        lines: list[str] = []
        while not self.at_end:
            end = self.text.find("\n", self.pos)
            end = len(self.text) if end < 0 else end
            line = self.text[self.pos : end]
            self.pos = min(end + 1, len(self.text))
            line = line.lstrip("\t") if heredoc.strips_tabs else line
            if line == heredoc.delimiter:
                break
            lines.append(line)
        heredoc.text = "".join(f"{line}\n" for line in lines)

    def _match_end(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self.text, self.pos)
        return self.pos if found is None else found.end()
