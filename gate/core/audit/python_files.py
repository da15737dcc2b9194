"""Processes ended by a word, and the lock file removed, in Python."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterator

from gate.core.audit.commands import finds_by_word, names_lock, names_whisper
from gate.core.audit.findings import Hit
from gate.core.audit.python_calls import PythonCalls
from gate.core.audit.python_source import PythonSource, place_of
from gate.core.audit.python_text import text_of

__all__ = ["kill_hits", "lock_hits"]

_REMOVES = frozenset({"os.remove", "os.unlink", "os.rmdir", "os.rename", "os.replace", "shutil.rmtree", "shutil.move"})
_REMOVING_METHODS = frozenset({"unlink", "rmdir", "rename"})
_KILLING_METHODS = frozenset({"kill", "terminate", "send_signal"})
_LISTS_PROCESSES = frozenset({"psutil.process_iter", "psutil.pids"})
_BY_WORD = "Processes are ended because a word stands in their name or command line."


def lock_hits(source: PythonSource) -> Iterator[Hit]:
    for call in _calls_in(source.tree):
        path = _removed(source, call)
        if path is not None and names_lock(path):
            name = source.dotted(call.func) or getattr(call.func, "attr", "")
            message = f"{name} removes the lock file, whoever holds it."
            yield Hit(rule="J5A005", place=place_of(call), message=message)


def _removed(source: PythonSource, call: ast.Call) -> str | None:
    """The path that the call takes away."""
    if source.dotted(call.func) in _REMOVES:
        return text_of(source, call.args[0]) if call.args else None
    if isinstance(call.func, ast.Attribute) and call.func.attr in _REMOVING_METHODS:
        return text_of(source, call.func.value)
    return None


def kill_hits(source: PythonSource, calls: PythonCalls) -> Iterator[Hit]:
    """psutil's list with a word looked for in it, and `os.kill` beside a `pgrep` for the word."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.For) and _lists_processes(source, node.iter) and _looks_for_word(node):
            yield from (_hit(call) for call in _calls_in(node) if _kills(source, call))
    finders = [call for call in _calls_in(source.tree) if _finds(calls, call)]
    scopes = [source.function_around(call) for call in finders]
    for call in _calls_in(source.tree):
        if source.dotted(call.func) == "os.kill" and source.function_around(call) in scopes:
            yield _hit(call)


def _hit(call: ast.Call) -> Hit:
    return Hit(rule="J5A004", place=place_of(call), message=_BY_WORD)


def _calls_in(node: ast.AST) -> Iterator[ast.Call]:
    return (one for one in ast.walk(node) if isinstance(one, ast.Call))


def _lists_processes(source: PythonSource, node: ast.expr) -> bool:
    return any(source.dotted(call.func) in _LISTS_PROCESSES for call in _calls_in(node))


def _looks_for_word(loop: ast.For) -> bool:
    tests = [node.test for node in ast.walk(loop) if isinstance(node, ast.If | ast.IfExp)]
    constants = (node for test in tests for node in ast.walk(test) if isinstance(node, ast.Constant))
    return any(isinstance(node.value, str) and names_whisper(node.value) for node in constants)


def _kills(source: PythonSource, call: ast.Call) -> bool:
    is_method = isinstance(call.func, ast.Attribute) and call.func.attr in _KILLING_METHODS
    return is_method or source.dotted(call.func) == "os.kill"


def _finds(calls: PythonCalls, call: ast.Call) -> bool:
    line = calls.command_line(call)
    if line is None:
        return False
    try:
        return finds_by_word(shlex.split(part) for part in line.split("|")) is not None
    except ValueError:  # quotes around the sign of a pipe
        return False
