"""Everything the gate can raise.

GateError
├── PolicyError           a limit that contradicts itself; refuse to start
├── UnknownModelError     no requirement is known for this model name
└── LockError             carries the path of the lock
    ├── LockHeld          somebody holds it (`reading` says who); trying again later can help
    ├── LockUnsafe        the directory or file is not ours to trust (symlink, owner, permission, kind)
    ├── LockUnwritable    the record could not be written (disk full, read-only)
    ├── LockLost          we held it, and the path or the PID line no longer says so
    └── LockNotStale      asked to clear a lock that is not proved stale
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # readings describe errors' data; importing it for real would close a circle
    from gate.core.readings import LockReading
    from gate.core.survivors import Survivor

__all__ = [
    "GateError",
    "LockError",
    "LockHeld",
    "LockLost",
    "LockNotStale",
    "LockUnsafe",
    "LockUnwritable",
    "PolicyError",
    "UnknownModelError",
]


class GateError(Exception):
    """Base of all. `retry_helps` says whether the same call can succeed later by itself."""

    retry_helps = False


class PolicyError(GateError):
    pass


class UnknownModelError(GateError):
    def __init__(self, model: str, known: tuple[str, ...]) -> None:
        self.model = model
        self.known = known
        super().__init__(f"No memory requirement is known for model {model!r}. Known: {', '.join(known)}.")


class LockError(GateError):
    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")


class LockHeld(LockError):
    retry_helps = True

    def __init__(self, path: Path, reading: LockReading, survivor: Survivor | None = None) -> None:
        self.reading = reading
        self.survivor = survivor  # whom this refusal has named in the lock's files, if it had to
        super().__init__(path, reading.sentence)


class LockUnsafe(LockError):
    pass


class LockUnwritable(LockError):
    retry_helps = True


class LockLost(LockError):
    pass


class LockNotStale(LockError):
    def __init__(self, path: Path, reading: LockReading) -> None:
        self.reading = reading
        super().__init__(path, f"not cleared: {reading.sentence}")
