"""This project's own scripts and modules: no finding; what must load a model itself says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.core.audit import audit_paths

BASE = Path(__file__).resolve().parents[4]
FOLDERS = ("gate", "transcribe", "j5a_admin", "ops", "bench", "tools")


@pytest.mark.parametrize("folder", FOLDERS)
def test_it_breaks_none_of_its_own_rules(folder: str) -> None:
    report = audit_paths([BASE / folder])
    assert report.findings == ()
    assert report.problems == ()
    assert report.files_read > 0
