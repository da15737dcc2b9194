"""Panels on particular machines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hot_machine import Thermometer, hot_panel
from tests.panel import Panel


@pytest.fixture
def hot(namespaces: None, tmp_path: Path) -> Iterator[tuple[Panel, Thermometer]]:
    """At 60 °C, with one thread, so that a window takes a while."""
    panel, thermometer = hot_panel(tmp_path, 60.0, J5A_ENGINE_THREADS="1")
    try:
        yield panel.start(), thermometer
    finally:
        panel.stop()
