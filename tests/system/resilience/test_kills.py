"""Twenty kills that met a process, every role among them."""

from __future__ import annotations

import pytest

from tests.support.kills import Recording, assert_every_job_ends_whole
from tests.support.panel import Panel


@pytest.mark.timeout(900)
def test_every_job_ends_whole(read_in_peace: tuple[Panel, list[Recording]]) -> None:
    assert_every_job_ends_whole(read_in_peace, 20)
