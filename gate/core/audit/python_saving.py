"""Loops in Python that put results together in memory and write none of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from gate.core.audit.commands import saves_by_itself
from gate.core.audit.findings import Hit
from gate.core.audit.prefixes import word_set
from gate.core.audit.python_calls import PythonCalls
from gate.core.audit.python_source import LoopNode, PythonSource, place_of
from gate.core.audit.python_text import text_of, words_of
from gate.core.audit.python_use import COMPREHENSIONS, LOOPS, WhisperUse, closure

__all__ = ["saving_hits"]

_MESSAGE = "Results are put together in memory, and nothing in the loop writes one to disk."
_COLLECTS = frozenset({"append", "extend", "update", "add", "insert", "setdefault", "appendleft"})
_WRITE_METHODS = word_set(
    "write writelines write_text write_bytes writerow writerows dump save savetxt to_csv to_json to_parquet commit "
    "execute executemany create bulk_create insert_one insert_many put put_object send sendall publish upload"
)
# A function from elsewhere that says in its name that it keeps what it is given.
_SAYS_IT_WRITES = re.compile(r"_*(?:save|write|store|dump|persist|checkpoint|export|record)(?:_\w+)?", re.IGNORECASE)
_TO_THE_SCREEN = frozenset({"sys.stdout.write", "sys.stderr.write"})
_WRITE_MODE = re.compile(r"[wax+]")
_COLLECTING_CALLS = frozenset({"list", "tuple", "dict", "set", "sorted", "sum"})
_CAPTURES = frozenset({"subprocess.check_output", "subprocess.getoutput", "subprocess.getstatusoutput", "os.popen"})


def saving_hits(
    source: PythonSource, calls: PythonCalls, use: WhisperUse, launched: frozenset[ast.Call]
) -> Iterator[Hit]:
    """`launched`: the calls that start a Whisper program; it writes its own files, unless its output is captured."""
    saving = _Saving(source, calls, launched)
    for node in ast.walk(source.tree):
        if isinstance(node, LOOPS) and (kept := saving.kept_in(node, use)) is not None:
            yield Hit(rule="J5A006", place=place_of(kept), message=_MESSAGE)
        elif isinstance(node, COMPREHENSIONS) and saving.is_kept_list(node):
            yield Hit(rule="J5A006", place=place_of(node), message=_MESSAGE)


class _Saving:
    def __init__(self, source: PythonSource, calls: PythonCalls, launched: frozenset[ast.Call]) -> None:
        self._source = source
        self._calls = calls
        self._captured = frozenset(call for call in launched if self._is_captured(call))
        self._launched = launched
        self._giving = closure(source, self._is_result)
        self._writing = closure(source, self._is_write)

    def kept_in(self, loop: LoopNode, use: WhisperUse) -> ast.expr | ast.stmt | None:
        """Where the loop puts results together, when it writes none."""
        body = list(_in_order(loop.body))
        makes = any(self._gives(node) and use.loop_around(node) is loop for node in body)
        return None if not makes or any(self._writes(node) for node in body) else self._collected(body)

    def is_kept_list(self, node: ast.expr) -> bool:
        parent = self._source.parents.get(node)
        if isinstance(node, ast.GeneratorExp):
            name = self._source.dotted(parent.func) if isinstance(parent, ast.Call) else ""
            joins = isinstance(parent, ast.Call) and getattr(parent.func, "attr", "") in ("join", "extend")
            if name not in _COLLECTING_CALLS and not joins:
                return False
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [getattr(node, "elt", node)]
        inside = [one for part in parts for one in ast.walk(part)]
        return any(self._gives(one) for one in inside) and not any(self._writes(one) for one in inside)

    # ── results ───────────────────────────────────────────────────────────────────────────────────
    def _collected(self, body: Sequence[ast.AST]) -> ast.expr | ast.stmt | None:
        """Follows what holds a result through the loop, to where it is added to something."""
        results: set[str] = set()
        for node in body:
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and self._has(node.value, results):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if any(isinstance(target, ast.Subscript) for target in targets):
                    return node
                results.update(name for target in targets for name in _names(target))
            elif isinstance(node, ast.For | ast.AsyncFor) and self._has(node.iter, results):
                results.update(_names(node.target))
            elif self._collects(node, results):
                return node if isinstance(node, ast.expr | ast.stmt) else None
        return None

    def _collects(self, node: ast.AST, results: set[str]) -> bool:
        """`all += result`, `all.append(result)`."""
        if isinstance(node, ast.AugAssign):
            return self._has(node.value, results)
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return False
        return node.func.attr in _COLLECTS and any(self._has(argument, results) for argument in node.args)

    def _has(self, node: ast.AST | None, results: set[str]) -> bool:
        nodes = [] if node is None else list(ast.walk(node))
        return any(self._gives(one) or (isinstance(one, ast.Name) and one.id in results) for one in nodes)

    def _gives(self, node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return False
        return self._is_result(node) or any(one in self._giving for one in self._source.meant(node.func))

    def _is_result(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and (node in self._captured or self._calls.is_transcription(node))

    def _is_captured(self, call: ast.Call) -> bool:
        """Its output comes back to us, and it was not told where to save it."""
        keywords = {keyword.arg for keyword in call.keywords}
        captures = self._calls.name(call) in _CAPTURES or not keywords.isdisjoint({"capture_output", "stdout"})
        words = words_of(self._source, call.args[0]) if call.args else None
        line = words if words is not None else (self._calls.command_line(call) or "").split()
        return captures and not saves_by_itself(line)

    # ── writes ────────────────────────────────────────────────────────────────────────────────────
    def _writes(self, node: ast.AST) -> bool:
        return self._is_write(node) or any(one in self._writing for one in self._source.meant(node))

    def _is_write(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True  # handed on, one by one
        if not isinstance(node, ast.Call):
            return False
        if node in self._launched:
            return node not in self._captured
        name = self._calls.name(node) or getattr(node.func, "attr", "")
        last = name.rpartition(".")[2]
        return name not in _TO_THE_SCREEN and (
            last in _WRITE_METHODS
            or _SAYS_IT_WRITES.fullmatch(last) is not None
            or (last == "open" and self._opens_for_writing(node))
            or (name == "print" and self._prints_to_file(node))
            or self._is_writer(node)
        )

    def _prints_to_file(self, call: ast.Call) -> bool:
        files = [self._source.dotted(keyword.value) for keyword in call.keywords if keyword.arg == "file"]
        return any(file not in ("sys.stderr", "sys.stdout") for file in files)

    def _opens_for_writing(self, call: ast.Call) -> bool:
        """`open(path, "a")`, `path.open("w")`, `gzip.open(path, mode="wt")`."""
        modes = [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
        at = 0 if isinstance(call.func, ast.Attribute) and len(call.args) == 1 else 1
        modes += call.args[at : at + 1]
        return any(_WRITE_MODE.search(text_of(self._source, mode)) is not None for mode in modes)

    def _is_writer(self, call: ast.Call) -> bool:
        """`writer = whisper.utils.get_writer("srt", folder)`, and then `writer(result, name)`."""
        value = self._source.value_of(call.func) if isinstance(call.func, ast.Name) else None
        return isinstance(value, ast.Call) and self._calls.name(value).rpartition(".")[2] == "get_writer"


def _in_order(body: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    """Every node of the statements, as they stand in the file."""
    for statement in body:
        yield from _preorder(statement)


def _preorder(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _preorder(child)


def _names(target: ast.expr) -> Iterator[str]:
    return (node.id for node in ast.walk(target) if isinstance(node, ast.Name))
