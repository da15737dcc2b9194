"""What a command line would load: through prefixes, shell texts, Python texts, and the script that it runs."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

from gate.core.asked_model import AskedModel
from gate.core.audit.files import NotAudited, read_source
from gate.core.audit.findings import Scan
from gate.core.audit.prefixes import SHELLS, base_name, is_python, unwrapped
from gate.core.audit.scan import scan_source, scan_text

__all__ = ["command_models"]

# With a value behind them: bash 5.2, python 3.14.
_SHELL_OPTIONS = re.compile(r"[-+][A-Za-z]*[oO]|--rcfile|--init-file")
_PYTHON_OPTIONS = re.compile(r"-[A-Za-z]*[WX]|--check-hash-based-pycs")
_PREFIXES_LIMIT = 20  # `env nice timeout …`: nobody writes more


def command_models(argv: Sequence[str]) -> tuple[AskedModel | None, ...]:
    """The models that the command is seen to load; None in place of one that only its variables know."""
    scan = scan_text(shlex.join(argv))
    if not scan.launches:
        scan = _script(argv)
    return tuple(launch.model for launch in scan.launches)


def _script(argv: Sequence[str]) -> Scan:
    """`bash night.sh`, `python night.py`, `./night.sh`, as the audit reads it. What cannot be read shows nothing."""
    try:
        path = _script_path(_without_prefixes(argv))
        return scan_source(read_source(path)) if path is not None and path.is_file() else Scan()
    except (NotAudited, OSError, ValueError):  # a program of another kind; a name too long, or of odd bytes
        return Scan()


def _without_prefixes(argv: Sequence[str]) -> Sequence[str]:
    for _ in range(_PREFIXES_LIMIT):
        inner = unwrapped(argv) if argv else None
        if inner is None:
            break
        argv = inner.argv
    return argv


def _script_path(argv: Sequence[str]) -> Path | None:
    if not argv:
        return None
    program = argv[0]
    if base_name(program) in SHELLS or is_python(program):
        return _first_operand(argv)
    return Path(program if "/" in program else shutil.which(program) or program)


def _first_operand(argv: Sequence[str]) -> Path | None:
    """The script of `bash -euo pipefail night.sh`, `python -W ignore night.py`; of `python -m pack.night` its file."""
    options = _PYTHON_OPTIONS if is_python(argv[0]) else _SHELL_OPTIONS
    rest = iter(argv[1:])
    for word in rest:
        if is_python(argv[0]) and re.fullmatch(r"-[A-Za-z]*m", word):
            module = Path(*next(rest, "").split("."))
            return next((path for path in (module.with_suffix(".py"), module / "__main__.py") if path.is_file()), None)
        if options.fullmatch(word):
            next(rest, None)
        elif not re.fullmatch(r"[-+].+", word):
            return Path(word)
    return None
