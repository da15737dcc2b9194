"""Which processes are Whisper: by executable, script name or `-m` module, never by a word in a command line.

The original matched words. It counted editors, tails and its own wrapper script, and after a repair
it matched nothing at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath

__all__ = [
    "ProcessRow",
    "command_text",
    "descendants",
    "is_watched",
    "program_arguments",
    "program_name",
    "whisper_program",
]


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """One line of the process table. `argv` is None where it was not readable; empty for kernel threads."""

    pid: int
    ppid: int
    name: str  # the kernel's short name; a program may change it
    rss_bytes: int
    age_seconds: float | None
    argv: tuple[str, ...] | None


# Names that load a Whisper model, as executable, script or module; hyphens and underscores are equal.
_WHISPER_NAMES = frozenset(
    {
        "whisper",  # openai-whisper
        "faster-whisper",
        "faster-whisper-cli",  # the original's own faster_whisper_cli.py
        "faster-whisper-xxl",  # Purfview's stand-alone build
        "whisper-faster",
        "whisper-ctranslate2",
        "whisperx",
        "whisper-timestamped",
        "insanely-fast-whisper",
        "whisper-jax",
        "whisper-cli",  # whisper.cpp, and its other programs that load a model
        "whisper-cpp",
        "whisper-server",
        "whisper-stream",
        "whisper-command",
        "whisper-bench",
    }
)
# Ours descends from the holder of the lock and is left out; one of a panel with another lock must be seen.
_OUR_ENGINE = "transcribe.engine"
# whisper.cpp before 1.7.4 called its program plainly `main`; only its model file tells it from others.
_WHISPER_CPP_OLD_NAMES = frozenset({"main", "server", "stream", "bench"})
_PYTHON = re.compile(r"(?:python|pypy)w?[\d.]*[a-z]?(?:-[\w.]+)?(?:\.exe)?", re.IGNORECASE)
_OTHER_INTERPRETERS = frozenset({"node", "nodejs", "bun", "deno", "ruby", "perl"})
# Python's options that take a value, and those that end the search (code or module follows).
_VALUE_OPTIONS = frozenset("WX")
# Command lines whose judgement is remembered: a gate that waits sees the same ones every two seconds.
_KNOWN_LINES = 1024
_SUFFIX = re.compile(r"\.(?:py|pyz|pyc|pyw|exe|js|mjs|cjs)$", re.IGNORECASE)


def whisper_program(argv: Sequence[str]) -> str | None:
    """The Whisper program that this command line runs, or None. Shells and wrappers never match."""
    return _whisper_program(tuple(argv))


@lru_cache(maxsize=_KNOWN_LINES)
def _whisper_program(argv: tuple[str, ...]) -> str | None:
    if not argv or not argv[0]:
        return None
    name = _normalised(argv[0])
    if name in _WHISPER_NAMES:
        return name
    if name in _WHISPER_CPP_OLD_NAMES:
        return "whisper.cpp" if _has_ggml_model(argv) else None
    if _is_python(argv[0]):
        target, is_module = _python_target(argv[1:])
        if is_module and target == _OUR_ENGINE:
            return "engine of a panel"
        name = _normalised(target.split(".", 1)[0] if is_module else target)
        return name if name in _WHISPER_NAMES else None
    return None


def program_arguments(argv: Sequence[str]) -> tuple[str, ...]:
    """What the program itself is given: behind the executable, or behind the script or module that Python runs."""
    rest = iter(argv[1:])
    if argv and _is_python(argv[0]):
        _python_target(rest)
    return tuple(rest)


def program_name(argv: Sequence[str] | None, name: str) -> str:
    """What a person would call it: `python manage.py`, `firefox`."""
    if not argv or not argv[0]:
        return name
    if not _is_python(argv[0]):
        # A program that rewrites its title (Chromium, PostgreSQL) leaves one long argument.
        return _base(argv[0].split(" -", 1)[0].split(": ", 1)[0]) or name
    base = _base(argv[0])
    target, _ = _python_target(argv[1:])
    return f"python {_base(target)}" if target else base


def is_watched(row: ProcessRow, watched: Iterable[str]) -> bool:
    """True when the program itself, or the script an interpreter runs, carries a watched name."""
    return not _names(row.name, row.argv).isdisjoint(name.lower() for name in watched)


def descendants(rows: Iterable[ProcessRow], roots: Iterable[int]) -> frozenset[int]:
    """The roots and everything they started."""
    children: dict[int, list[int]] = {}
    for row in rows:
        children.setdefault(row.ppid, []).append(row.pid)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, [])
    return frozenset(found)


def command_text(argv: Sequence[str], limit: int = 160) -> str:
    """A command line for display, control characters removed."""
    text = " ".join(argv)
    text = "".join(char if char.isprintable() else " " for char in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


@lru_cache(maxsize=_KNOWN_LINES)
def _names(name: str, argv: tuple[str, ...] | None) -> frozenset[str]:
    names = {name.lower()}
    if argv:
        names.add(_normalised(argv[0], keep_underscores=True))
        target = _script(argv)
        if target:
            names.add(_normalised(target, keep_underscores=True))
    return frozenset(names)


def _script(argv: Sequence[str]) -> str | None:
    if _is_python(argv[0]):
        return _python_target(argv[1:])[0]
    if _base(argv[0]).lower() in _OTHER_INTERPRETERS:
        return next((part for part in argv[1:] if not part.startswith("-")), None)
    return None


def _is_python(executable: str) -> bool:
    return _PYTHON.fullmatch(_base(executable)) is not None


def _python_target(arguments: Iterable[str]) -> tuple[str, bool]:
    """Script path or module that Python runs, and whether it is a module; empty for -c and stdin.

    Of an iterator it takes no more than it needs: what is left belongs to the script or module.
    """
    rest = iter(arguments)
    for part in rest:
        if part.startswith("--"):
            if part == "--check-hash-based-pycs":
                next(rest, None)
            continue
        if part == "-" or not part:
            return "", False
        if not part.startswith("-"):
            return part, False
        module = _short_options(part[1:], rest)
        if module is not None:
            return module, True
    return "", False


def _short_options(letters: str, rest: Iterator[str]) -> str | None:
    """Read one bundle such as `-um`: the module it names, empty after -c, None when the options go on."""
    for at, letter in enumerate(letters):
        attached = letters[at + 1 :]
        if letter == "c":
            return ""
        if letter == "m":
            return attached or next(rest, "")
        if letter in _VALUE_OPTIONS:
            if not attached:
                next(rest, None)
            return None
    return None


def _has_ggml_model(argv: Sequence[str]) -> bool:
    for at, part in enumerate(argv[1:], start=1):
        option, _, value = part.partition("=")
        if option in ("-m", "--model"):
            model = value or (argv[at + 1] if at + 1 < len(argv) else "")
            if PurePosixPath(model).name.lower().startswith("ggml"):
                return True
    return False


def _base(path: str) -> str:
    """The last part of a path. By hand where it can be: for 500 processes, path objects were half of a whole look."""
    folder, _, name = path.replace("\\", "/").rpartition("/")
    if name in ("", ".", "__main__.py"):
        pure = PurePosixPath(folder, name)
        # `python whisper/__main__.py` and `python whisper/` run the package by its folder.
        return pure.parent.name if pure.name == "__main__.py" else pure.name
    return name


def _normalised(path: str, *, keep_underscores: bool = False) -> str:
    name = _SUFFIX.sub("", _base(path)).lower()
    return name if keep_underscores else name.replace("_", "-")
