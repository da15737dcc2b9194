from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from gate.models import VerdictRecord
from tests.support.fake_machine import FakeMachine

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("machine")
def test_it_prints_all_five_checks_and_ends_well_when_admitted(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("gate", "check")
    lines = capsys.readouterr().out.splitlines()
    assert [line[:11] for line in lines[:5]] == [
        "1/5 PASS   ",
        "2/5 PASS   ",
        "3/5 PASS   ",
        "4/5 PASS   ",
        "5/5 PASS   ",
    ]
    assert lines[-1] == "Admitted: all five checks pass."


def test_it_ends_with_1_when_blocked_and_says_what_would_help(
    machine: FakeMachine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.available_bytes = 5 * 1024**3
    with pytest.raises(SystemExit) as ended:
        call_command("gate", "check")
    out = capsys.readouterr().out
    assert ended.value.code == 1
    assert "1/5 BLOCK   memory: 5.0 GiB available, 14.0 GiB needed" in out
    assert "9.0 GiB short: the largest programs are init 1.0 GiB." in out
    assert not VerdictRecord.objects.get().admitted


@pytest.mark.usefixtures("machine")
def test_it_asks_for_the_model_it_is_given_and_speaks_json(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("gate", "check", "--model", "tiny", "--json")
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["requirement"]["model"] == "tiny"
    assert len(verdict["results"]) == 5


@pytest.mark.usefixtures("machine")
def test_an_unknown_model_is_a_usage_error() -> None:
    with pytest.raises(CommandError, match="giant") as wrong:
        call_command("gate", "check", "--model", "giant")
    assert wrong.value.returncode == 2
