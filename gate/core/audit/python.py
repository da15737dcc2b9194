"""Heavy launches and the other rules in a Python file."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace

from gate.core.audit.findings import Comment, Hit, Launch, Scan
from gate.core.audit.python_calls import PythonCalls
from gate.core.audit.python_files import kill_hits, lock_hits
from gate.core.audit.python_flow import held_calls
from gate.core.audit.python_parallel import parallel_hits
from gate.core.audit.python_saving import saving_hits
from gate.core.audit.python_source import PythonSource, place_of
from gate.core.audit.python_use import WhisperUse

__all__ = ["audit_python"]

# Audits a command line: the text, the number of its first line, whether the lock is held there.
ScanText = Callable[[str, int, bool], Scan]


def audit_python(text: str, *, shell: ScanText, first_line: int = 1, held: bool = False) -> Scan:
    """Every finding in a Python file. `held`: the lock is held by what runs this text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about their code, such as an escape that means nothing
            tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:  # ValueError: a character that no source may have
        line = (getattr(error, "lineno", None) or 1) + first_line - 1
        return Scan(problems=(f"line {line}: this is not Python that can be read ({_reason(error)})",))
    except (RecursionError, MemoryError):
        return Scan(problems=("it is nested too deeply to be read",))
    ast.increment_lineno(tree, first_line - 1)
    try:
        scan = _PythonAudit(PythonSource(tree), shell, held=held).scan()
    except RecursionError:
        scan = Scan(problems=("it is nested too deeply for the audit",))
    return replace(scan, comments=tuple(_comments(text, first_line)))


class _PythonAudit:
    def __init__(self, source: PythonSource, shell: ScanText, *, held: bool) -> None:
        self._source = source
        self._calls = PythonCalls(source)
        self._shell = shell
        self._held_at = held_calls(source, held=held)

    def scan(self) -> Scan:
        hits: list[Hit] = []
        launches: dict[ast.Call, Launch] = {}
        programs: set[ast.Call] = set()
        for call, held in self._held_at.items():
            if (library := self._calls.loaded_model(call)) is not None:
                model = self._calls.asked_model(call)
                launches[call] = Launch(program=library, place=place_of(call), model=model)
                hits += [] if held else [self._ungated(launches[call])]
            elif (line := self._calls.command_line(call)) is not None:
                scan = self._shell(line, 1, held)
                hits += [replace(hit, place=place_of(call)) for hit in scan.hits]
                if scan.launches:
                    launches[call] = replace(scan.launches[0], place=place_of(call))
                    programs.add(call)
        hits += self._rules(frozenset(launches), frozenset(programs))
        return Scan(hits=tuple(hits), launches=tuple(launches.values()))

    def _ungated(self, launch: Launch) -> Hit:
        return Hit(rule="J5A001", place=launch.place, message=f"{launch.program} loads a model without the gate.")

    def _rules(self, launching: frozenset[ast.Call], programs: frozenset[ast.Call]) -> Iterator[Hit]:
        use = WhisperUse(self._source, self._calls, launching)
        yield from parallel_hits(self._source, self._calls, use, programs)
        yield from saving_hits(self._source, self._calls, use, programs)
        yield from kill_hits(self._source, self._calls)
        yield from lock_hits(self._source)


def _reason(error: Exception) -> str:
    return error.msg if isinstance(error, SyntaxError) else str(error)


def _comments(text: str, first_line: int) -> Iterator[Comment]:
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                is_alone = not token.line[: token.start[1]].strip()
                yield Comment(line=token.start[0] + first_line - 1, text=token.string, is_alone=is_alone)
    except (tokenize.TokenError, SyntaxError):  # a form feed or a tab that ast takes and tokenize does not
        return
