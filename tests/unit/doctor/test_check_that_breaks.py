"""A check that fails by itself becomes a line, and the others are still made."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from j5a_admin.doctor.examine import Machine, examine, guarded
from j5a_admin.doctor.findings import Finding, Status
from tests.support.doctor_runs import run_doctor


def test_it_becomes_a_line_with_the_reason() -> None:
    def broken(_: Machine) -> tuple[Finding, ...]:
        raise OSError("no such\n  device")

    (finding,) = guarded("disk", broken, Machine())
    assert (finding.status, finding.subject) == (Status.FAIL, "disk")
    assert finding.sentence == "It could not be examined (OSError: no such device)."


@pytest.mark.django_db
def test_the_others_are_made(settings: Settings, tmp_path: Path) -> None:
    settings.GATE_LOCK_PATH = tmp_path / "locks" / "whisper_large.lock"
    settings.UPLOAD_MAX_BYTES = "much"
    findings = {finding.subject: finding for finding in examine()}
    assert findings["disk for uploads"].status is Status.FAIL
    assert "TypeError" in findings["disk for uploads"].sentence
    assert findings["disk for models"].status is not Status.FAIL
    assert findings["debug mode"].status is Status.PASS


def test_limits_that_contradict_each_other_are_told_without_a_stack_trace(tmp_path: Path) -> None:
    """They stop every command, as any setting that makes no sense."""
    answer = run_doctor(tmp_path, J5A_ACTIVITY_WARN_MIB="9999")
    assert answer.code == 1
    (said,) = answer.err.splitlines()
    assert said.startswith("J5A_ACTIVITY_WARN_MIB=9999 must be below J5A_ACTIVITY_HIGH_MIB=2048")
