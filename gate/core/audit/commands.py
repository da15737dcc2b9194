"""What one command line does that the audit asks about: start Whisper, kill by word, remove the lock."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from itertools import pairwise

from gate.core.audit.prefixes import base_name, word_set
from gate.core.processes import whisper_program

__all__ = [
    "finds_by_word",
    "kills_by_word",
    "launched_program",
    "more_than_one",
    "names_lock",
    "names_whisper",
    "removes_lock",
    "saves_by_itself",
]

_ONLY_ASKS = frozenset({"-h", "--help", "--version"})
# Options of Whisper's programs that say where results go; whisper.cpp writes no file without one of its own.
_SAVES = word_set("-o --output_dir --output-dir -otxt -osrt -ovtt -ocsv -olrc -oj -ojf -of")
_PKILL_VALUES = word_set("-g -G -P -s -t -u -U -F -r --signal --pgroup --group --parent --session --pidfile")
_KILLALL_VALUES = word_set("-s --signal -u --user -o --older-than -y --younger-than -n --ns")
_FILTERS = word_set("grep egrep rg awk gawk mawk sed")
_LOCK_NAMES = frozenset({"whisper_large.lock", "whisper_large.lock.json"})
_LOCK_DIRECTORY = "j5a_locks"
_BRACES = re.compile(r"\{([^{},]*(?:,[^{},]*)+)\}")
_GLOB = re.compile(r"[*?\[]")


def launched_program(argv: Sequence[str]) -> str | None:
    """The Whisper program that would load a model, or None."""
    program = whisper_program(argv)
    return None if program is None or _ONLY_ASKS.intersection(argv) else program


def saves_by_itself(argv: Sequence[str]) -> bool:
    """It was told where to write its results."""
    return any(word.partition("=")[0] in _SAVES for word in argv)


def more_than_one(workers: str | None) -> bool:
    """True unless it is known to be one. None and 0: as many as there are cores or inputs."""
    return workers is None or not workers.isdigit() or int(workers) != 1


# ── ended by word ────────────────────────────────────────────────────────────────────────────────
def names_whisper(pattern: str) -> bool:
    """Also with the old trick against finding oneself: `[w]hisper`."""
    return "whisper" in re.sub(r"\[(\w)\]", r"\1", pattern).lower()


def kills_by_word(argv: Sequence[str]) -> str | None:
    """`pkill` or `killall` when a pattern of it means Whisper."""
    name = base_name(argv[0])
    values = {"pkill": _PKILL_VALUES, "killall": _KILLALL_VALUES}.get(name)
    if values is None:
        return None
    return name if any(names_whisper(word) for word in _operands(argv[1:], values)) else None


def finds_by_word(commands: Iterable[Sequence[str]]) -> int | None:
    """Which command of a pipeline gives PIDs found by a word: `pgrep whisper`, or `grep whisper` behind `ps`."""
    lists_processes = False
    for at, argv in enumerate(commands):
        name = base_name(argv[0]) if argv else ""
        if name in ("pgrep", "pidof") and any(names_whisper(word) for word in _operands(argv[1:], _PKILL_VALUES)):
            return at
        lists_processes |= name == "ps"
        if (
            lists_processes
            and name in _FILTERS
            and any(names_whisper(word) for word in argv[1:])
            and not _excludes(argv)
        ):
            return at
    return None


def _excludes(argv: Sequence[str]) -> bool:
    """`grep -v whisper` leaves Whisper out."""
    return any(re.fullmatch(r"-[a-zA-Z]*v[a-zA-Z]*|--invert-match", word) for word in argv[1:])


# ── the lock file ────────────────────────────────────────────────────────────────────────────────
def names_lock(path: str) -> bool:
    """The lock file, the record beside it, their folder, or a pattern that means one of them."""
    return any(_is_lock(one.rstrip("/")) for one in _without_braces(path))


def removes_lock(argv: Sequence[str]) -> bool:
    name = base_name(argv[0])
    operands = _operands(argv[1:], frozenset())
    if name in ("rm", "unlink", "rmdir", "shred"):
        return any(names_lock(path) for path in operands)
    if name == "mv":
        return any(names_lock(path) for path in operands[:-1])
    return name == "find" and _find_removes_lock(argv)


def _find_removes_lock(argv: Sequence[str]) -> bool:
    removes = "-delete" in argv or any(base_name(word) in ("rm", "unlink") for word in argv)
    roots = [word for word in argv[1:] if not word.startswith("-")]
    names = [value for option, value in pairwise(argv) if option in ("-name", "-iname", "-path")]
    if not removes or not roots:
        return False
    return any(names_lock(f"{roots[0]}/{name}") for name in names) if names else names_lock(roots[0])


def _is_lock(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    if name in _LOCK_NAMES or name == _LOCK_DIRECTORY:
        return True
    if not _GLOB.search(name):
        return False
    means_lock = any(fnmatchcase(lock, name) for lock in _LOCK_NAMES)
    means_folder = name.startswith("j5a") and fnmatchcase(_LOCK_DIRECTORY, name)
    return means_folder or (means_lock and (base_name(folder) == _LOCK_DIRECTORY or name.startswith("whisper")))


def _without_braces(text: str) -> list[str]:
    """`{a,b}.lock` is two words."""
    found = _BRACES.search(text)
    if found is None:
        return [text]
    variants = (text[: found.start()] + one + text[found.end() :] for one in found[1].split(","))
    return [word for variant in variants for word in _without_braces(variant)]


def _operands(arguments: Sequence[str], values: frozenset[str]) -> list[str]:
    """What is neither option nor the value of one."""
    operands: list[str] = []
    rest = iter(arguments)
    for word in rest:
        if word == "--":
            operands += rest
        elif not word.startswith("-") or word == "-":
            operands.append(word)
        elif word in values:
            next(rest, None)
    return operands
