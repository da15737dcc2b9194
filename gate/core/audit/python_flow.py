"""Follows a Python file as it would run: at which calls is the lock held?

A function that this file calls is entered in the state of its calls: held only when it is held at every one.
A function that it only offers is entered in the state of the line where it stands.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Sequence

from gate.core.audit.python_source import FunctionNode, LoopNode, PythonSource

__all__ = ["held_calls"]

_TAKES = frozenset({"gate.services.lock_acquire", "gate.services.lock.lock_acquire"})
_GIVES_BACK = frozenset({"gate.services.lock_release", "gate.services.lock.lock_release"})
_STACKS = frozenset({"contextlib.ExitStack", "contextlib.AsyncExitStack"})
_ENDS = frozenset({"sys.exit", "exit", "quit", "os._exit", "os.abort"})
# States only ever become narrower; a file whose functions need more rounds than this is taken as not gated.
ROUNDS_LIMIT = 20


def held_calls(source: PythonSource, *, held: bool) -> dict[ast.Call, bool]:
    """For every call that can be reached, whether the lock is held there whichever way it is reached."""
    flow = _PythonFlow(source, held=held)
    for _ in range(ROUNDS_LIMIT):
        if not flow.round():
            return flow.calls
    return dict.fromkeys(flow.calls, False)


def _either(*states: bool | None) -> bool | None:
    """What holds whichever it was; None is a way that does not come back."""
    known = [state for state in states if state is not None]
    return all(known) if known else None


class _PythonFlow:
    def __init__(self, source: PythonSource, *, held: bool) -> None:
        self.calls: dict[ast.Call, bool] = {}
        self._source = source
        self._held = held
        self._functions = source.all_functions()
        # What a function leaves behind, entered without and with the lock.
        self._leaves: dict[FunctionNode, dict[bool, bool | None]] = {
            node: {False: False, True: True} for node in self._functions
        }
        # Before anything is known: what the file uses itself may be gated, what it only offers is not.
        used = {function for node in ast.walk(source.tree) for function in source.meant(node)}
        self._entered = {node: node in used for node in self._functions}
        self._referred: dict[FunctionNode, list[bool]] = defaultdict(list)
        self._defined: dict[FunctionNode, bool] = {}
        self._yields_held: dict[FunctionNode, bool] = {}
        self._takers = _names_of_locks(source)
        self._breaks: list[list[bool]] = [[]]
        self._returns: list[list[bool]] = [[]]
        self._ungated: FunctionNode | None = None  # the function we are in, when it was entered without the lock

    def round(self) -> bool:
        """Go through the whole file once; True when something was learned that may change the answer."""
        yields_held = dict(self._yields_held)
        leaves = {node: {held: self._body(node, held) for held in (False, True)} for node in self._functions}
        self.calls = {}
        self._referred = defaultdict(list)
        self.statements(self._source.tree.body, self._held)
        for node in self._functions:
            self._body(node, self._entered[node])
        entered = {node: all(self._referred[node] or [self._defined.get(node, False)]) for node in self._functions}
        changed = (leaves, entered, self._yields_held) != (self._leaves, self._entered, yields_held)
        self._leaves, self._entered = leaves, entered
        return changed

    def _body(self, node: FunctionNode, held: bool) -> bool | None:
        before, self._ungated = self._ungated, None if held else node
        self._returns.append([])
        self._breaks.append([])
        end = self.statements(node.body, held)
        self._breaks.pop()
        self._ungated = before
        return _either(end, *self._returns.pop())

    # ── statements ────────────────────────────────────────────────────────────────────────────────
    def statements(self, body: Sequence[ast.stmt], held: bool) -> bool | None:
        now: bool | None = held
        for statement in body:
            if now is None:
                return None
            now = self._statement(statement, now)
        return now

    def _statement(self, node: ast.stmt, held: bool) -> bool | None:
        if isinstance(node, ast.If):
            return self._if(node, held)
        if isinstance(node, ast.For | ast.AsyncFor | ast.While):
            return self._loop(node, held)
        if isinstance(node, ast.Try | ast.TryStar):
            return self._try(node, held)
        if isinstance(node, ast.With | ast.AsyncWith):
            return self._with(node, held)
        if isinstance(node, ast.Match):
            return self._match(node, held)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self._defined[node] = held
            return self._expressions([*node.decorator_list, *node.args.defaults], held)
        if isinstance(node, ast.ClassDef):
            self._expressions([*node.decorator_list, *node.bases], held)
            return self.statements(node.body, held)
        return self._simple(node, held)

    def _simple(self, node: ast.stmt, held: bool) -> bool | None:
        now = self._expressions(ast.iter_child_nodes(node), held)
        if now is None:
            return None
        if isinstance(node, ast.Return):
            self._returns[-1].append(now)
        elif isinstance(node, ast.Break | ast.Continue):
            self._breaks[-1].append(now)
        return None if isinstance(node, ast.Return | ast.Raise | ast.Break | ast.Continue) else now

    def _if(self, node: ast.If, held: bool) -> bool | None:
        now = self._expressions([node.test], held)
        if now is None:
            return None
        return _either(self.statements(node.body, now), self.statements(node.orelse, now))

    def _loop(self, node: LoopNode, held: bool) -> bool | None:
        head = node.test if isinstance(node, ast.While) else node.iter
        now = self._expressions([head], held)
        if now is None:
            return None
        self._breaks.append([])
        end = self.statements(node.body, now)
        if end is not None and end != now:  # the next round begins in another state
            end = self.statements(node.body, now and end)
        for_ever = isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and bool(node.test.value)
        after = _either(None if for_ever else _either(now, end), *self._breaks.pop())
        return None if after is None else self.statements(node.orelse, after)

    def _try(self, node: ast.Try | ast.TryStar, held: bool) -> bool | None:
        end = self.statements(node.body, held)
        if end is not None:
            end = self.statements(node.orelse, end)
        fails = bool(_either(held, end))
        handled = [self.statements(handler.body, fails) for handler in node.handlers]
        after = _either(end, *handled)
        last = self.statements(node.finalbody, fails if after is None else after)
        return None if after is None else last

    def _match(self, node: ast.Match, held: bool) -> bool | None:
        now = self._expressions([node.subject], held)
        if now is None:
            return None
        return _either(now, *(self.statements(case.body, now) for case in node.cases))

    def _with(self, node: ast.With | ast.AsyncWith, held: bool) -> bool | None:
        now: bool | None = held
        gives_back = False
        for item in node.items:
            if now is not None:
                now = self._expressions([item.context_expr], now)
            if self._holds(item.context_expr):
                now, gives_back = True, True
            gives_back |= self._source.dotted(getattr(item.context_expr, "func", None)) in _STACKS
        if now is None:
            return None
        end = self.statements(node.body, now)
        return held and end if gives_back and end is not None else end

    def _holds(self, node: ast.expr) -> bool:
        """`with lock_acquire(…)`, `with held`, or a context manager of this file that holds it while it yields."""
        if self._source.dotted(node) in self._takers:
            return True
        for call in (one for one in ast.walk(node) if isinstance(one, ast.Call)):
            if self._source.dotted(call.func) in _TAKES and not _enters_other_stack(self._source, call):
                return True
            if any(self._yields_held.get(function) for function in self._source.meant(call.func)):
                return True
        return False

    # ── expressions ───────────────────────────────────────────────────────────────────────────────
    def _expressions(self, nodes: Iterable[ast.AST], held: bool) -> bool | None:
        now: bool | None = held
        for node in nodes:
            if now is None:
                return None
            now = self._expression(node, now)
        return now

    def _expression(self, node: ast.AST, held: bool) -> bool | None:
        for function in self._source.meant(node):
            self._referred[function].append(held)
        if isinstance(node, ast.Lambda):
            self._expressions([node.body], held)
            return held
        if isinstance(node, ast.Yield | ast.YieldFrom) and self._ungated is not None:
            self._yields_held[self._ungated] = held
        now = self._expressions(ast.iter_child_nodes(node), held)
        if now is None or not isinstance(node, ast.Call):
            return now
        self.calls[node] = now and self.calls.get(node, True)
        return self._after_call(node, now)

    def _after_call(self, call: ast.Call, held: bool) -> bool | None:
        name = self._source.dotted(call.func)
        if name in _TAKES:
            return True
        base, _, method = name.rpartition(".")
        if name in _GIVES_BACK or (method == "release" and base in self._takers):
            return False
        if name in _ENDS:
            return None
        meant = self._source.meant(call.func)
        return self._leaves[meant[0]][held] if len(meant) == 1 and _runs_at_once(meant[0]) else held


def _runs_at_once(function: FunctionNode) -> bool:
    """Generators run later, when they are asked."""
    return not any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))


def _enters_other_stack(source: PythonSource, call: ast.Call) -> bool:
    """`stack.enter_context(lock_acquire(…))` inside a `with` head is not that head's own."""
    parent = source.parents.get(call)
    return (
        isinstance(parent, ast.Call) and isinstance(parent.func, ast.Attribute) and parent.func.attr == "enter_context"
    )


def _names_of_locks(source: PythonSource) -> frozenset[str]:
    """Names that are assigned what lock_acquire gives."""
    names: set[str] = set()
    for node in ast.walk(source.tree):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = getattr(node, "value", None)
        if targets and isinstance(value, ast.Call) and source.dotted(value.func) in _TAKES:
            names.update(source.dotted(target) for target in targets)
    return frozenset(names - {""})
