"""A Python file as the audit reads it: what names stand for, which function is meant, where a node stands."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from typing import TypeAlias

from gate.core.audit.findings import Place

__all__ = ["FunctionNode", "LoopNode", "PythonSource", "place_of"]

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
LoopNode: TypeAlias = ast.For | ast.AsyncFor | ast.While
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def place_of(node: ast.expr | ast.stmt) -> Place:
    return Place(line=node.lineno, end_line=node.end_lineno or node.lineno)


class PythonSource:
    """Names are followed by their last assignment before the line; nothing is run."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.parents: dict[ast.AST, ast.AST] = {}
        self.aliases: dict[str, str] = {}  # local name → what was imported
        self.functions: dict[str, list[FunctionNode]] = defaultdict(list)
        self.methods: dict[str, list[FunctionNode]] = defaultdict(list)
        self._assigned: dict[tuple[ast.AST | None, str], list[tuple[int, ast.expr | None]]] = defaultdict(list)
        for parent in ast.walk(tree):
            for child in ast.iter_child_nodes(parent):
                self.parents[child] = parent
        for node in ast.walk(tree):
            self._collect(node)
        for values in self._assigned.values():
            values.sort(key=lambda entry: entry[0])

    # ── names ─────────────────────────────────────────────────────────────────────────────────────
    def dotted(self, node: ast.AST | None) -> str:
        """`whisper.load_model` whatever it was imported as; empty for what is no name."""
        if isinstance(node, ast.Name):
            return self.aliases.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value)
            return f"{base}.{node.attr}" if base else ""
        if isinstance(node, ast.Call) and self.dotted(node.func) in ("importlib.import_module", "__import__"):
            name = node.args[0] if node.args else None
            return name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else ""
        return ""

    def is_imported(self, node: ast.AST) -> bool:
        """The name begins with something that this file imports."""
        while isinstance(node, ast.Attribute):
            node = node.value
        return node.id in self.aliases if isinstance(node, ast.Name) else isinstance(node, ast.Call)

    def value_of(self, node: ast.Name | ast.Attribute) -> ast.expr | None:
        """The expression last assigned to this name, or None when that is not known."""
        if isinstance(node, ast.Attribute):
            values = self._assigned.get((None, f".{node.attr}"), [])
            return values[-1][1] if values else None
        scope: ast.AST | None = self.function_around(node)
        while scope is not None:
            if (scope, node.id) in self._assigned:
                values = self._assigned[scope, node.id]
                before = [value for line, value in values if line <= node.lineno]
                return before[-1] if before else values[0][1]
            scope = self.function_around(scope)
        values = self._assigned.get((None, node.id), [])
        return values[-1][1] if values else None

    def imports_any(self, roots: frozenset[str]) -> bool:
        return any(name.partition(".")[0] in roots for name in self.aliases.values())

    # ── places in the tree ────────────────────────────────────────────────────────────────────────
    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    def function_around(self, node: ast.AST) -> FunctionNode | None:
        return next((one for one in self.ancestors(node) if isinstance(one, _FUNCTIONS)), None)

    def all_functions(self) -> list[FunctionNode]:
        return [node for node in ast.walk(self.tree) if isinstance(node, _FUNCTIONS)]

    def meant(self, node: ast.AST) -> list[FunctionNode]:
        """The functions of this file that a name means: itself, a class's first method, a method by its name."""
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            return [] if node.id in self.aliases else self.functions.get(node.id, [])
        if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load):
            return []
        root = node.value
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name) and root.id in self.aliases:
            return []
        found = self.methods.get(node.attr, [])
        if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
            own = next((one for one in self.ancestors(node) if isinstance(one, ast.ClassDef)), None)
            return [one for one in found if self.parents[one] is own] or found
        return found

    # ── collecting ────────────────────────────────────────────────────────────────────────────────
    def _collect(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self.aliases[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                self.aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        elif isinstance(node, _FUNCTIONS):
            self._function(node)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._assignment(target, node.value)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            self._assignment(node.target, node.value)
        elif isinstance(node, ast.For | ast.AsyncFor):
            self._assignment(node.target, node.iter)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._assignment(node.optional_vars, node.context_expr)

    def _function(self, node: FunctionNode) -> None:
        parent = self.parents[node]
        if isinstance(parent, ast.ClassDef):
            self.methods[node.name].append(node)
            if node.name in ("__init__", "__post_init__"):
                self.functions[parent.name].append(node)
        else:
            self.functions[node.name].append(node)
        arguments = node.args
        named = [*arguments.posonlyargs, *arguments.args]
        defaults = [None] * (len(named) - len(arguments.defaults)) + list(arguments.defaults)
        for argument, default in [
            *zip(named, defaults, strict=True),
            *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
        ]:
            self._assigned[node, argument.arg].append((node.lineno, default))

    def _assignment(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            for part in target.elts:
                self._assignment(part, value)
        elif isinstance(target, ast.Attribute):
            self._assigned[None, f".{target.attr}"].append((target.lineno, value))
        elif isinstance(target, ast.Name):
            if self.dotted(value) and isinstance(value, ast.Call):  # w = importlib.import_module("whisper")
                self.aliases[target.id] = self.dotted(value)
            if isinstance(self.parents.get(self.parents[target]), ast.ClassDef):
                self._assigned[None, f".{target.id}"].append((target.lineno, value))
            self._assigned[self.function_around(target), target.id].append((target.lineno, value))
