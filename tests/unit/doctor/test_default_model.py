"""The model that is taken when nobody chooses: is it here, is it known, can it ever start."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.core.policy import GatePolicy
from gate.core.requirement import requirement_for_model
from gate.core.units import GIB
from j5a_admin.doctor.configuration import judge_default_model
from j5a_admin.doctor.findings import Status
from tests.support.builders import memory
from tests.support.doctor_runs import migrate, run_doctor


@pytest.mark.parametrize(
    ("total_bytes", "is_here", "status", "says", "advice"),
    [
        (14 * GIB, True, Status.PASS, "its file is here", ""),
        (14 * GIB, False, Status.PASS, "fetched from the internet on first use", ""),
        (14 * GIB - 1, True, Status.WARN, "can never start", "Set J5A_DEFAULT_MODEL=turbo."),
        (4 * GIB, True, Status.WARN, "can never start", "Add memory, or lower J5A_MARGIN_GIB."),
    ],
)
def test_it_judges_large_v3(total_bytes: int, is_here: bool, status: Status, says: str, advice: str) -> None:
    reading = memory(GIB, total_bytes)
    finding = judge_default_model(reading, GatePolicy(), requirement_for_model("large-v3"), is_here=is_here)
    assert (finding.status, finding.advice) == (status, advice)
    assert says in finding.sentence


def test_the_real_default_is_the_demo_and_here(tmp_path: Path) -> None:
    finding = run_doctor(tmp_path, "--json").findings["default model"]
    assert (finding.status, finding.sentence) == (Status.PASS, "demo; its file is here.")


@pytest.mark.parametrize("name", ["registered:gone", "file:/no/such/model.pt"])
def test_it_fails_for_a_model_that_is_not_there(tmp_path: Path, name: str) -> None:
    answer = run_doctor(migrate(tmp_path), "--json", J5A_DEFAULT_MODEL=name)
    assert answer.code == 1
    assert answer.findings["default model"].status is Status.FAIL
    assert "J5A_DEFAULT_MODEL" in answer.findings["default model"].advice
