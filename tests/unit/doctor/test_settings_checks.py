"""Django's checks and the panel's own, and the debug mode, as lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.checks import CheckMessage, Error, Info, Warning

from j5a_admin.doctor.configuration import judge_debug, judge_messages
from j5a_admin.doctor.findings import Status
from tests.support.doctor_runs import run_doctor


def test_it_passes_when_nothing_is_found() -> None:
    (finding,) = judge_messages([])
    assert (finding.status, finding.subject) == (Status.PASS, "settings")


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (Error("Two workers.", hint="Set one.", id="j5a.E001"), Status.FAIL),
        (Warning("No TLS.", hint="Set one.", id="j5a.E001"), Status.WARN),
    ],
)
def test_it_makes_a_line_of_each_message(message: CheckMessage, status: Status) -> None:
    (finding,) = judge_messages([message, Info("All is quiet.", id="x.I001")])
    assert (finding.status, finding.subject) == (status, "check j5a.E001")
    assert (finding.sentence, finding.advice) == (message.msg, "Set one.")


def test_it_gives_advice_also_where_the_check_has_no_hint() -> None:
    (finding,) = judge_messages([Error("Wrong.", id="x.E001")])
    assert finding.advice


@pytest.mark.parametrize(("is_on", "status"), [(False, Status.PASS), (True, Status.FAIL)])
def test_it_fails_in_debug_mode(is_on: bool, status: Status) -> None:
    assert judge_debug(is_on).status is status


def test_it_shows_the_panels_real_checks(tmp_path: Path) -> None:
    answer = run_doctor(tmp_path, "--json", J5A_BIND="0.0.0.0", J5A_DEFAULT_MODEL="giant")
    assert answer.code == 1
    assert answer.findings["check j5a.W001"].status is Status.WARN
    assert answer.findings["check j5a.E003"].status is Status.FAIL
    assert "settings" not in answer.findings
    assert answer.findings["debug mode"].status is Status.PASS
