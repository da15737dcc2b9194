"""What a command line would load: through prefixes, shell texts, Python texts, and the script that it runs."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from gate.core.asked_model import AskedModel
from gate.core.audit.files import NotAudited, read_source
from gate.core.audit.findings import Scan
from gate.core.audit.prefixes import SHELLS, base_name, is_python, unwrapped
from gate.core.audit.scan import scan_source, scan_text

__all__ = ["command_models"]

_PREFIXES_LIMIT = 20  # `env nice timeout …`: nobody writes more


def command_models(argv: Sequence[str]) -> tuple[AskedModel | None, ...]:
    """The models that the command is seen to load; None in place of one that only its variables know."""
    scan = scan_text(shlex.join(argv))
    if not scan.launches:
        scan = _script(argv)
    return tuple(launch.model for launch in scan.launches)


def _script(argv: Sequence[str]) -> Scan:
    """`bash night.sh`, `python night.py`, `./night.sh`, as the audit reads it. What cannot be read shows nothing."""
    path = _script_path(_without_prefixes(argv))
    try:
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
    if base_name(argv[0]) not in SHELLS and not is_python(argv[0]):
        return Path(argv[0])
    operands = [word for word in argv[1:] if not word.startswith("-")]
    return Path(operands[0]) if operands else None
