"""Several Whispers at once in Python: pools, threads, processes that nobody waits for, MAX_PARALLEL."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gate.core.audit.commands import more_than_one
from gate.core.audit.findings import Hit
from gate.core.audit.python_calls import DETACHED, PythonCalls
from gate.core.audit.python_source import PythonSource, place_of
from gate.core.audit.python_text import text_of
from gate.core.audit.python_use import WhisperUse
from gate.core.audit.shell_simple import MAX_PARALLEL

__all__ = ["parallel_hits"]

# The pool's class, and the name of the argument with its number of workers.
_POOLS = {
    "concurrent.futures.ThreadPoolExecutor": "max_workers",
    "concurrent.futures.ProcessPoolExecutor": "max_workers",
    "concurrent.futures.thread.ThreadPoolExecutor": "max_workers",
    "concurrent.futures.process.ProcessPoolExecutor": "max_workers",
    "multiprocessing.Pool": "processes",
    "multiprocessing.pool.Pool": "processes",
    "multiprocessing.pool.ThreadPool": "processes",
    "multiprocessing.dummy.Pool": "processes",
}
_HANDS_OUT = frozenset(
    {"submit", "map", "imap", "imap_unordered", "starmap", "apply", "apply_async", "map_async", "starmap_async"}
)
_STARTS = frozenset({"threading.Thread", "multiprocessing.Process", "multiprocessing.context.Process"})
_AT_ONCE = frozenset({"asyncio.gather", "asyncio.wait", "asyncio.as_completed"})
_COUNTS_CORES = frozenset(
    {"os.cpu_count", "os.process_cpu_count", "multiprocessing.cpu_count", "psutil.cpu_count", "os.sched_getaffinity"}
)
_WAITS = frozenset({"wait", "communicate", "join"})


def parallel_hits(
    source: PythonSource, calls: PythonCalls, use: WhisperUse, launched: frozenset[ast.Call]
) -> Iterator[Hit]:
    """`launched`: the calls that start a Whisper program."""
    for node in ast.walk(source.tree):
        yield from _parallel_count(source, node)
        if isinstance(node, ast.Call):
            yield from _pool(source, calls, use, node)
            yield from _gathered(source, use, node)
            yield from _left_running(source, use, node, launched)


# ── MAX_PARALLEL ─────────────────────────────────────────────────────────────────────────────────
def _parallel_count(source: PythonSource, node: ast.AST) -> Iterator[Hit]:
    for name, value in _named_values(source, node):
        if not MAX_PARALLEL.fullmatch(name):
            continue
        count = text_of(source, value)
        if count.isdigit() and int(count) > 1:
            yield Hit(rule="J5A002", place=place_of(value), message=f"{name} is {count}.")
        elif any(source.dotted(getattr(one, "func", None)) in _COUNTS_CORES for one in ast.walk(value)):
            yield Hit(rule="J5A002", place=place_of(value), message=f"{name} is as many as there are cores.")


def _named_values(source: PythonSource, node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Every `name = value`: assignments, keywords, defaults of arguments, entries of dictionaries."""
    if isinstance(node, ast.Assign):
        yield from ((_last_name(source, target), node.value) for target in node.targets)
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield _last_name(source, node.target), node.value
    elif isinstance(node, ast.keyword) and node.arg is not None:
        yield node.arg, node.value
    elif isinstance(node, ast.Dict):
        yield from ((text_of(source, key), value) for key, value in zip(node.keys, node.values, strict=True) if key)
    elif isinstance(node, ast.arguments):
        named = [*node.posonlyargs, *node.args][-len(node.defaults) :] if node.defaults else []
        yield from ((one.arg, default) for one, default in zip(named, node.defaults, strict=True))
        pairs = zip(node.kwonlyargs, node.kw_defaults, strict=True)
        yield from ((one.arg, default) for one, default in pairs if default is not None)


def _last_name(source: PythonSource, target: ast.expr) -> str:
    if isinstance(target, ast.Subscript):  # os.environ["MAX_PARALLEL"] = "4"
        return text_of(source, target.slice)
    return target.id if isinstance(target, ast.Name) else target.attr if isinstance(target, ast.Attribute) else ""


# ── pools ────────────────────────────────────────────────────────────────────────────────────────
def _pool(source: PythonSource, calls: PythonCalls, use: WhisperUse, call: ast.Call) -> Iterator[Hit]:
    """A call that hands work to a pool of several, when the work leads to Whisper."""
    made = _pool_of(source, call)
    if made is None or not more_than_one(_workers(source, made)):
        return
    line = calls.handed_command_line(call.args)
    if use.leads_to_whisper(*call.args) or (line is not None and calls.starts_whisper(line)):
        message = "The pool has more than one worker, and what they are given leads to Whisper."
        yield Hit(rule="J5A002", place=place_of(made), message=message)


def _pool_of(source: PythonSource, call: ast.Call) -> ast.Call | None:
    """Where the pool was made that this call hands work to."""
    function = call.func
    if isinstance(function, ast.Call) and source.dotted(function.func) in (
        "joblib.Parallel",
        "joblib.parallel.Parallel",
    ):
        return function
    if not isinstance(function, ast.Attribute):
        return None
    if function.attr == "run_in_executor" and call.args:
        return _made(source, call.args[0])
    return _made(source, function.value) if function.attr in _HANDS_OUT else None


def _made(source: PythonSource, node: ast.expr) -> ast.Call | None:
    value = source.value_of(node) if isinstance(node, ast.Name | ast.Attribute) else node
    is_pool = isinstance(value, ast.Call) and (
        source.dotted(value.func) in _POOLS or getattr(value.func, "attr", "") == "Pool"  # get_context("spawn").Pool(4)
    )
    return value if isinstance(value, ast.Call) and is_pool else None


def _workers(source: PythonSource, made: ast.Call) -> str | None:
    name = source.dotted(made.func)
    argument = "n_jobs" if name.startswith("joblib") else _POOLS.get(name, "processes")
    given = [keyword.value for keyword in made.keywords if keyword.arg == argument] + made.args[:1]
    if not given:
        return "1" if argument == "n_jobs" else None  # joblib's default is one, the others take every core
    return text_of(source, given[0])


# ── started and left ─────────────────────────────────────────────────────────────────────────────
def _gathered(source: PythonSource, use: WhisperUse, call: ast.Call) -> Iterator[Hit]:
    if source.dotted(call.func) not in _AT_ONCE:
        return
    leading = [argument for argument in call.args if use.leads_to_whisper(argument)]
    several = len(leading) > 1 or any(isinstance(one, ast.Starred | ast.ListComp | ast.GeneratorExp) for one in leading)
    if several:
        yield Hit(rule="J5A002", place=place_of(call), message="What is started at once here leads to Whisper.")


def _left_running(
    source: PythonSource, use: WhisperUse, call: ast.Call, launched: frozenset[ast.Call]
) -> Iterator[Hit]:
    """In a loop, without waiting there: the next one begins while this one runs."""
    name = source.dotted(call.func)
    is_process = name in DETACHED and call in launched and not isinstance(source.parents[call], ast.withitem)
    is_thread = name in _STARTS and use.leads_to_whisper(*(keyword.value for keyword in call.keywords), *call.args)
    if not is_process and not is_thread:
        return
    loop = use.loop_around(call)
    if loop is None or (isinstance(loop, ast.stmt) and _waits(loop)):
        return
    message = "Each round of the loop starts another Whisper without waiting for the one before."
    yield Hit(rule="J5A003", place=place_of(call), message=message)


def _waits(loop: ast.stmt) -> bool:
    methods = (node.func for node in ast.walk(loop) if isinstance(node, ast.Call))
    return any(isinstance(method, ast.Attribute) and method.attr in _WAITS for method in methods)
