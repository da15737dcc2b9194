from __future__ import annotations

import json

import pytest

from gate.core.incidents.joining import added_lines, worst_of
from gate.core.incidents.measures import Measure
from gate.core.incidents.occurrence import EVIDENCE_TEXT_LIMIT_CHARS, Evidence, Occurrence
from gate.core.units import GIB
from tests.support.occurrences import HOT, occurrence


def celsius(value: float, limit: float = 80.0) -> Measure:
    return Measure(name="temperature", value=value, limit=limit, unit="°C")


def available(gib: float, limit: float = 2.0) -> Measure:
    return Measure(name="available memory", value=gib * GIB, limit=limit * GIB, unit="bytes", at_least=True)


@pytest.mark.parametrize(
    ("measure", "text"),
    [
        (celsius(79.9), "no"),
        (celsius(80.0), "0.0 %"),
        (celsius(103.0), "29 %"),
        (celsius(82.0), "2.5 %"),
        (available(2.0), "no"),
        (available(1.5), "25 %"),
        (available(0.0), "100 %"),
        (Measure(name="holders", value=1, limit=0, unit="holders"), "yes"),
    ],
)
def test_it_says_by_how_much_a_limit_was_violated(measure: Measure, text: str) -> None:
    assert measure.violation_text == text


def test_it_writes_figures_with_their_units() -> None:
    assert (celsius(82.0).value_text, celsius(82.0).limit_text) == ("82.0 °C", "below 80.0 °C")
    assert (available(1.5).value_text, available(1.5).limit_text) == ("1.5 GiB", "at least 2.0 GiB")
    assert Measure(name="wait", value=2400, limit=1800, unit="s").value_text == "40 min"
    assert Measure(name="holders", value=2, limit=1, unit="holders").value_text == "2 holders"


def test_it_keeps_the_worst_of_each_measure() -> None:
    assert worst_of([celsius(82), available(1.5)], [celsius(81), available(1.0)]) == (celsius(82), available(1.0))


def test_it_adds_a_line_once() -> None:
    assert added_lines("requeued\nkept", "kept\ncooled") == "requeued\nkept\ncooled"
    assert added_lines("", "") == ""


def test_an_occurrence_survives_a_file() -> None:
    told = occurrence(causes=("dust",), recovery="cooled", settled=True)
    assert Occurrence.from_json_dict(json.loads(json.dumps(told.to_json_dict()))) == told
    assert told.measures == (HOT,)


def test_the_end_of_a_long_text_is_kept() -> None:
    piece = Evidence(title="log", text="x" * EVIDENCE_TEXT_LIMIT_CHARS + "end", file_name="a.log")
    assert piece.bounded().text.endswith("xend")
    assert len(piece.bounded().text) == EVIDENCE_TEXT_LIMIT_CHARS + 1
    assert piece.bounded().file_name == "a.log"
