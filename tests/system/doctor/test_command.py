"""`manage.py doctor`: lines, advice, exit code and JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from j5a_admin.doctor.findings import Status
from tests.support.doctor_runs import Answer, migrate, run_doctor


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return migrate(tmp_path_factory.mktemp("var"))


@pytest.fixture(scope="module")
def answer(data_dir: Path) -> Answer:
    return run_doctor(data_dir)


def test_it_ends_with_0_when_nothing_fails(answer: Answer) -> None:
    assert answer.code == 0, answer.out
    assert "FAIL" not in answer.out
    assert answer.err == ""


def test_it_prints_one_line_each_with_the_advice_below(answer: Answer) -> None:
    *lines, empty, summary = answer.out.rstrip("\n").split("\n")
    assert empty == ""
    assert re.search(r"\d+ PASS\.$", summary)
    for line in lines:
        assert re.match(r"(PASS|WARN)  [^:]+: \S|      \S", line), line
    assert not lines[0].startswith(" ")
    assert len([line for line in lines if line.startswith("PASS  memory for ")]) == 6


def test_every_point_is_there_once(data_dir: Path) -> None:
    findings = run_doctor(data_dir, "--json").findings
    expected = {"processor", "swap", "temperature", "disk for models", "disk for uploads", "data directory", "lock"}
    expected |= {"file secret_key", "file first_password", "file j5a.sqlite3", "models directory", "port", "settings"}
    expected |= {"debug mode", "database", "default model", "foreign Whisper", "panel", "other panels"}
    assert expected <= set(findings)


def test_whatever_is_not_well_comes_with_advice(data_dir: Path) -> None:
    findings = run_doctor(data_dir, "--json", J5A_MARGIN_GIB="1000").all_findings
    assert [f.subject for f in findings if f.status is not Status.PASS and not f.advice] == []


def test_it_ends_with_1_when_something_fails(data_dir: Path) -> None:
    answer = run_doctor(data_dir, J5A_MARGIN_GIB="1000")
    assert answer.code == 1
    assert "FAIL  memory for tiny: This machine can never start tiny" in answer.out
    assert "\n      Add memory, or lower J5A_MARGIN_GIB" in answer.out
    assert answer.out.rstrip().split("\n")[-1].startswith("Something must be mended: 1 FAIL (memory for tiny); ")


def test_its_json_and_its_exit_code_say_the_same(data_dir: Path) -> None:
    answer = run_doctor(data_dir, "--json", J5A_MARGIN_GIB="1000")
    lines = json.loads(answer.out)["findings"]
    assert answer.code == 1
    assert {line["status"] for line in lines} <= {"PASS", "WARN", "FAIL"}
    assert [line["subject"] for line in lines if line["status"] == "FAIL"] == ["memory for tiny"]
    assert set(lines[0]) == {"group", "status", "subject", "sentence", "advice"}


def test_a_wrong_word_ends_with_2(data_dir: Path) -> None:
    answer = run_doctor(data_dir, "--mend")
    assert answer.code == 2
    assert "unrecognized arguments" in answer.err
