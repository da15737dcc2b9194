"""With the worker of a running panel 64 contenders of every kind, two hundred rounds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.contenders import Crowd, assert_one_holder_at_a_time
from tests.support.panel import Panel


@pytest.mark.timeout(3600)
def test_never_two_holders_and_never_a_lock_that_needs_a_person(
    make_panel: Callable[..., Panel], tmp_path: Path
) -> None:
    crowd = Crowd(threaded=4, single=26, shells=10, runs=3)
    assert_one_holder_at_a_time(make_panel(J5A_MARGIN_GIB="0.5"), tmp_path, crowd, 200)
