from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from gate.models import Incident
from tests.support.panel import Panel


@pytest.fixture(autouse=True)
def _own_surroundings(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> None:
    """The black box of a test lies in its own folder, and the incident that ships is not there."""
    settings.DATA_DIR = tmp_path / "var"
    if request.node.get_closest_marker("django_db"):
        request.getfixturevalue("db")
        Incident.objects.all().delete()


@pytest.fixture
def make_database(tmp_path: Path) -> Callable[[], Panel]:
    """A panel's data directory with its database, nothing running."""

    def make() -> Panel:
        panel = Panel(tmp_path / "panel")
        done = panel.manage("migrate", "--verbosity=0", timeout=240)
        assert done.returncode == 0, done.stderr
        return panel

    return make
