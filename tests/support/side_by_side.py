"""Tests in two workers at a time: what must not run beside what, and what comes first."""

from __future__ import annotations

from pathlib import PurePath

import pytest
from xdist.scheduler import LoadScopeScheduling

# Files that must not run at the same time as each other: while one lets the kernel end a process for want of memory,
# the others kill engines, and the machine's one counter of such ends would blame the kernel for it.
KILLING = {
    "tests/system/running/test_oom.py",
    "tests/system/running/test_killed.py",
    "tests/system/resilience/test_kills.py",
}
# The longest first, so that no worker is left alone with one of them at the end.
FIRST = ("tests/unit/test_first_use.py", "tests/system/resilience/", "tests/system/running/")


def group_of(path: str) -> str:
    return "killing" if path in KILLING else path


def place_of(path: str) -> int:
    """Where a file stands in the order; equal ones stay in the order of their names."""
    if path in KILLING:
        return 0
    return next((number for number, start in enumerate(FIRST, 1) if path.startswith(start)), len(FIRST) + 1)


def arrange(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: place_of(_path(item.nodeid)))


class ByFile(LoadScopeScheduling):
    """A file's tests stay together, and those of `KILLING` too."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(_path(nodeid))


def _path(nodeid: str) -> str:
    return PurePath(nodeid.split("::", 1)[0]).as_posix()
