"""A name that is set for the machine, and another one that was kept: what was recorded would seem to be lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from j5a_admin.doctor.configuration import judge_host
from j5a_admin.doctor.findings import Status
from tests.support.doctor_runs import run_doctor


@pytest.mark.parametrize(
    ("in_use", "kept", "status"),
    [("studio", "studio", Status.PASS), ("studio", "", Status.PASS), ("by hand", "studio", Status.WARN)],
)
def test_it_warns_when_they_differ(in_use: str, kept: str, status: Status) -> None:
    assert judge_host(in_use, kept, Path("/data/host_id")).status is status


def test_it_is_told_with_both_names_the_file_and_what_to_do(tmp_path: Path) -> None:
    kept = tmp_path / "host_id"
    kept.write_text("studio\n")
    finding = run_doctor(tmp_path, "--json", J5A_HOST_ID="by hand").findings["machine's name"]
    assert finding.status is Status.WARN
    assert finding.sentence.startswith(f"J5A_HOST_ID is “by hand”, but {kept} keeps “studio”")
    assert "Leave J5A_HOST_ID away" in finding.advice
    assert kept.read_text() == "studio\n", "the doctor changes nothing"


def test_a_name_that_is_set_and_kept_is_in_order(tmp_path: Path) -> None:
    (tmp_path / "host_id").write_text("studio\n")
    finding = run_doctor(tmp_path, "--json", J5A_HOST_ID="studio").findings["machine's name"]
    assert (finding.status, finding.sentence) == (Status.PASS, "Rows of this machine are kept under “studio”.")


def test_without_the_setting_the_kept_one_counts(tmp_path: Path) -> None:
    (tmp_path / "host_id").write_text("studio\n")
    finding = run_doctor(tmp_path, "--json").findings["machine's name"]
    assert (finding.status, finding.sentence) == (Status.PASS, "Rows of this machine are kept under “studio”.")
