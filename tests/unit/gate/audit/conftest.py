from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support.audit_scripts import audited

Audited = Callable[[str], list[tuple[int, str]]]


@pytest.fixture
def shell(tmp_path: Path) -> Audited:
    """Line and rule of each finding in a shell script."""
    return partial(audited, tmp_path, name="script.sh")


@pytest.fixture
def python(tmp_path: Path) -> Audited:
    """Line and rule of each finding in a Python file."""
    return partial(audited, tmp_path, name="script.py")


@pytest.fixture
def shell_rules(shell: Audited) -> Callable[[str], set[str]]:
    return lambda text: {rule for _, rule in shell(text)}


@pytest.fixture
def python_rules(python: Audited) -> Callable[[str], set[str]]:
    return lambda text: {rule for _, rule in python(text)}
