"""This project's own scripts and modules: no finding but the known ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.core.audit import audit_paths

BASE = Path(__file__).resolve().parents[3]
FOLDERS = ("gate", "transcribe", "j5a_admin", "ops", "bench", "tools")
# The engine is started by the slot, which holds the lock; the other two measure and train on a person's command.
KNOWN = {
    ("transcribe/engine/openai_whisper.py", "J5A001"),
    ("bench/bare.py", "J5A001"),
    ("tools/demo_model/evaluate.py", "J5A001"),
}


@pytest.mark.parametrize("folder", FOLDERS)
def test_it_breaks_none_of_its_own_rules(folder: str) -> None:
    report = audit_paths([BASE / folder])
    found = {(str(finding.path.relative_to(BASE)), finding.rule) for finding in report.findings}
    assert found - KNOWN == set()
    assert report.problems == ()
    assert report.files_read > 0
