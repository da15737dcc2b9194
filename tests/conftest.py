"""Fixtures of the whole suite."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.support.machines import need_namespaces
from tests.support.panel import Panel
from tests.support.side_by_side import ByFile, arrange

pytest_plugins = [
    "tests.support.fake_machine",
    "tests.support.run_place",
    "tests.support.runs",
    "tests.support.uploading",
    "tests.support.backups",
    "tests.support.hot_machine",
    "tests.support.browser",
    "tests.support.kills",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    arrange(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


@pytest.fixture(scope="session", autouse=True)
def _collected_static() -> None:
    """Pages name static files through their manifest, as in production."""
    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture
def make_panel(tmp_path: Path) -> Iterator[Callable[..., Panel]]:
    """Start panels with their own data; each is stopped at the end."""
    panels: list[Panel] = []

    def make(*, without_sample: bool = True, **environment: str) -> Panel:
        root = tmp_path / f"panel-{len(panels)}"
        root.mkdir()
        panels.append(Panel(root, **environment))
        return panels[-1].start(without_sample=without_sample)

    yield make
    for panel in panels:
        panel.stop()


@pytest.fixture(scope="session")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    """One running panel that tests share; they leave it running and its queue empty."""
    shared = Panel(tmp_path_factory.mktemp("panel"))
    try:
        yield shared.start()
    finally:
        shared.stop()


@pytest.fixture(scope="module")
def own_panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    """A running panel for one file, whose tests kill or stop its parts; they leave it running, its queue empty."""
    own = Panel(tmp_path_factory.mktemp("panel"))
    try:
        yield own.start()
    finally:
        own.stop()


@pytest.fixture(scope="session")
def namespaces() -> None:
    need_namespaces()


@pytest.fixture
def needs_root() -> None:
    """For tests that need mount namespaces or cgroups; never skipped in CI."""
    if os.geteuid() != 0 and os.environ.get("CI") != "true":
        pytest.skip("needs root, for a mount namespace of its own")
