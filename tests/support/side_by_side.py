"""Tests in several workers at a time (`make test SIDE_BY_SIDE=2`): what must not run beside what, and what comes first.

A file's tests stay together, in their order, in one worker.
"""

from __future__ import annotations

from pathlib import PurePath

import pytest

# Files that must not run at the same time as each other: while one lets the kernel end a process for want of memory,
# the others kill engines, and the machine's one counter of such ends would blame the kernel for it.
KILLING = {
    "tests/system/running/test_oom.py",
    "tests/system/running/test_killed.py",
    "tests/system/resilience/test_kills.py",
}
# The longest first, so that no worker is left alone with one of them at the end.
FIRST = ("tests/system/resilience/", "tests/system/running/", "tests/system/gate/test_contenders.py")
# The browser's driver leaves an event loop in its worker, in which Django touches no database.
LAST = "tests/system/browser/"


def group_of(path: str) -> str:
    return "killing" if path in KILLING else path


def place_of(path: str) -> int:
    """Where a file stands in the order; equal ones stay in the order of their names."""
    if path in KILLING:
        return 0
    if path.startswith(LAST):
        return len(FIRST) + 2
    return next((number for number, start in enumerate(FIRST, 1) if path.startswith(start)), len(FIRST) + 1)


def arrange(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: place_of(_path(item)))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(_path(item))))


def _path(item: pytest.Item) -> str:
    return PurePath(item.nodeid.split("::", 1)[0]).as_posix()
