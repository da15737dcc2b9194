"""Which parts of a Python file lead to Whisper, directly or through functions of the same file."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection

from gate.core.audit.python_calls import PythonCalls
from gate.core.audit.python_source import FunctionNode, LoopNode, PythonSource

__all__ = ["LOOPS", "WhisperUse", "closure"]

LOOPS = (ast.For, ast.AsyncFor, ast.While)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def closure(source: PythonSource, is_direct: Callable[[ast.AST], bool]) -> frozenset[FunctionNode]:
    """The functions in which something is so, or that use such a function."""
    uses: dict[FunctionNode, set[FunctionNode]] = {}
    found: set[FunctionNode] = set()
    for function in source.all_functions():
        nodes = list(ast.walk(function))
        uses[function] = {other for node in nodes for other in source.meant(node)}
        if any(is_direct(node) for node in nodes):
            found.add(function)
    size = -1
    while size != len(found):
        size = len(found)
        found |= {function for function, others in uses.items() if not found.isdisjoint(others)}
    return frozenset(found)


class WhisperUse:
    """`launching`: the calls that load a model or start a Whisper program."""

    def __init__(self, source: PythonSource, calls: PythonCalls, launching: Collection[ast.Call]) -> None:
        self._source = source
        self._calls = calls
        self._launching = frozenset(launching)
        self._functions = closure(source, self._is_direct)

    def leads_to_whisper(self, *nodes: ast.AST) -> bool:
        return any(self._leads(one) for node in nodes for one in ast.walk(node))

    def loop_around(self, node: ast.AST) -> LoopNode | ast.expr | None:
        """The loop or comprehension that repeats this node, within its own function."""
        inner: ast.AST = node
        for outer in self._source.ancestors(node):
            if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                return None
            if isinstance(outer, COMPREHENSIONS):
                return outer
            if isinstance(outer, LOOPS) and inner is not getattr(outer, "iter", None) and inner not in outer.orelse:
                return outer
            inner = outer
        return None

    def _leads(self, node: ast.AST) -> bool:
        return self._is_direct(node) or any(one in self._functions for one in self._source.meant(node))

    def _is_direct(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Call):
            return node in self._launching or self._calls.is_transcription(node)
        return self._calls.is_transcription_method(node)
