"""Texts and command lines in Python, as far as the file itself says them: constants, f-strings, paths, lists."""

from __future__ import annotations

import ast
import re
import shlex

from gate.core.audit.python_source import PythonSource
from gate.core.audit.values import UNKNOWN

__all__ = ["text_of", "words_of"]

DEPTH_LIMIT = 8  # names that stand for names
_LOCK_PATH = "/tmp/j5a_locks/whisper_large.lock"  # noqa: S108 - a name to recognise, not a file we make
# Where this project and the older gate keep the lock's path.
_KNOWN_NAMES = {
    "WHISPER_LOCKFILE": _LOCK_PATH,
    "GATE_LOCK_PATH": _LOCK_PATH,
    "J5A_LOCK_DIR": _LOCK_PATH.rpartition("/")[0],
}
_FORMAT_FIELD = re.compile(r"\{[^{}]*\}")
_PERCENT_FIELD = re.compile(r"%(?:\(\w+\))?[-+ 0#]*\d*(?:\.\d+)?[sdrif]")
_SAME_TEXT = frozenset(
    {"str", "int", "os.fspath", "os.path.abspath", "os.path.expanduser", "shlex.quote", "shutil.which"}
)
_SAME_PATH = frozenset({"resolve", "absolute", "expanduser", "as_posix", "strip"})
_JOINS_PATH = frozenset({"os.path.join", "pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath"})


def text_of(source: PythonSource, node: ast.AST | None, depth: int = 0) -> str:
    """The text of an expression, with UNKNOWN where it is only known when it runs."""
    if depth > DEPTH_LIMIT:
        return UNKNOWN
    if isinstance(node, ast.Constant):
        return str(node.value) if isinstance(node.value, str | int) and not isinstance(node.value, bool) else UNKNOWN
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(source, part, depth) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return text_of(source, node.value, depth + 1)
    if isinstance(node, ast.BinOp):
        return _operation(source, node, depth)
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        return text_of(source, node.values[-1], depth + 1)
    if isinstance(node, ast.Call):
        return _call(source, node, depth)
    if isinstance(node, ast.Subscript):
        return _KNOWN_NAMES.get(text_of(source, node.slice, depth + 1), UNKNOWN)
    if isinstance(node, ast.Name | ast.Attribute):
        return _name(source, node, depth)
    return UNKNOWN


def words_of(source: PythonSource, node: ast.AST | None, depth: int = 0) -> list[str] | None:
    """The words of a list of arguments; None: it is no list."""
    if depth > DEPTH_LIMIT:
        return None
    if isinstance(node, ast.List | ast.Tuple):
        return [word for part in node.elts for word in _element(source, part, depth)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = words_of(source, node.left, depth + 1), words_of(source, node.right, depth + 1)
        return None if left is None and right is None else (left or [UNKNOWN]) + (right or [UNKNOWN])
    if isinstance(node, ast.Name | ast.Attribute):
        value = source.value_of(node)
        return None if value is None else words_of(source, value, depth + 1)
    if isinstance(node, ast.Call):
        return _words_of_call(source, node, depth)
    return None


def _element(source: PythonSource, part: ast.expr, depth: int) -> list[str]:
    if isinstance(part, ast.Starred):
        return words_of(source, part.value, depth + 1) or [UNKNOWN]
    return [text_of(source, part, depth + 1)]


def _words_of_call(source: PythonSource, call: ast.Call, depth: int) -> list[str] | None:
    name = source.dotted(call.func)
    if name in ("list", "tuple") and call.args:
        return words_of(source, call.args[0], depth + 1)
    if name == "shlex.split" and call.args:
        return _split(text_of(source, call.args[0], depth + 1))
    if isinstance(call.func, ast.Attribute) and call.func.attr == "split" and not call.args:
        return text_of(source, call.func.value, depth + 1).split()
    return None


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quote that is not closed: Python would raise here too
        return [UNKNOWN]


def _operation(source: PythonSource, node: ast.BinOp, depth: int) -> str:
    left = text_of(source, node.left, depth + 1)
    if isinstance(node.op, ast.Add):
        return left + text_of(source, node.right, depth + 1)
    if isinstance(node.op, ast.Div):
        return f"{left}/{text_of(source, node.right, depth + 1)}"
    if isinstance(node.op, ast.Mod):
        return _PERCENT_FIELD.sub(UNKNOWN, left)
    return UNKNOWN


def _name(source: PythonSource, node: ast.Name | ast.Attribute, depth: int) -> str:
    if source.dotted(node) == "sys.executable":
        return "python"
    if isinstance(node, ast.Attribute) and node.attr == "parent":
        return text_of(source, node.value, depth + 1).rpartition("/")[0]
    value = source.value_of(node)
    known = _KNOWN_NAMES.get(node.attr if isinstance(node, ast.Attribute) else node.id, UNKNOWN)
    return known if value is None else text_of(source, value, depth + 1)


def _call(source: PythonSource, call: ast.Call, depth: int) -> str:
    name = source.dotted(call.func)
    texts = [text_of(source, argument, depth + 1) for argument in call.args]
    if name in _SAME_TEXT and texts:
        return texts[0]
    if name in _JOINS_PATH:
        return "/".join(texts)
    if name in ("os.environ.get", "os.getenv", "os.environ.setdefault") and texts:
        return _KNOWN_NAMES.get(texts[0], texts[1] if len(texts) > 1 else UNKNOWN)
    if name == "shlex.join" and call.args:
        return shlex.join(words_of(source, call.args[0], depth + 1) or [UNKNOWN])
    if name == "glob.glob" and texts:
        return texts[0]
    return _method(source, call, texts, depth) if isinstance(call.func, ast.Attribute) else UNKNOWN


def _method(source: PythonSource, call: ast.Call, texts: list[str], depth: int) -> str:
    assert isinstance(call.func, ast.Attribute)  # noqa: S101 - for the type checker
    base = text_of(source, call.func.value, depth + 1)
    match call.func.attr:
        case "format":
            return _FORMAT_FIELD.sub(UNKNOWN, base)
        case "join" if call.args:
            return base.join(words_of(source, call.args[0], depth + 1) or [UNKNOWN])
        case "joinpath" | "glob" | "rglob":
            return "/".join([base, *texts])
        case "iterdir":
            return f"{base}/*"
        case "with_name" if texts:
            return f"{base.rpartition('/')[0]}/{texts[0]}"
        case attribute if attribute in _SAME_PATH:
            return base
    return UNKNOWN
