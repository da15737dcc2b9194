"""Sixteen contenders of every kind, twenty rounds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.contenders import Crowd, assert_one_holder_at_a_time
from tests.support.panel import Panel


@pytest.mark.timeout(600)
def test_never_two_holders_and_never_a_lock_that_needs_a_person(
    make_panel: Callable[..., Panel], tmp_path: Path
) -> None:
    crowd = Crowd(threaded=1, single=5, shells=3, runs=1)
    assert_one_holder_at_a_time(make_panel(J5A_MARGIN_GIB="0.5"), tmp_path, crowd, 20)
