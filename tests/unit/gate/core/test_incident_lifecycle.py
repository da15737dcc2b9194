from __future__ import annotations

import pytest

from gate.core.incidents.kinds import IncidentKind, kind_facts
from gate.core.incidents.lifecycle import IncidentStatus, Span, can_move, gaps_before, kept_spans, merged

OPEN, ACKNOWLEDGED, RESOLVED = IncidentStatus


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        (OPEN, ACKNOWLEDGED, True),
        (OPEN, RESOLVED, True),
        (ACKNOWLEDGED, RESOLVED, True),
        (RESOLVED, OPEN, True),
        (ACKNOWLEDGED, OPEN, False),
        (RESOLVED, ACKNOWLEDGED, False),
        (OPEN, OPEN, False),
        (RESOLVED, RESOLVED, False),
    ],
)
def test_statuses_follow_one_another(old: IncidentStatus, new: IncidentStatus, allowed: bool) -> None:
    assert can_move(old, new) is allowed


def test_every_kind_says_why_it_happens_and_what_to_do() -> None:
    for kind in IncidentKind:
        facts = kind_facts(kind)
        assert facts.title and facts.cause.endswith(".") and facts.advice.endswith("."), kind
        assert len(kind) <= 20, "the column"
    assert len({kind_facts(kind).title for kind in IncidentKind}) == len(IncidentKind)


def test_it_keeps_a_quarter_of_an_hour_around_the_first_and_the_last() -> None:
    week = 7 * 86_400.0
    assert kept_spans([10_000, 10_000]) == (Span(9_100, 10_900),)
    assert kept_spans([10_000, 10_000 + week]) == (Span(9_100, 10_900), Span(9_100 + week, 10_900 + week))
    assert kept_spans([10_000, 11_800]) == (Span(9_100, 12_700),)  # they touch


def test_spans_that_overlap_become_one() -> None:
    assert merged([Span(5, 9), Span(0, 3), Span(3, 4), Span(6, 7)]) == (Span(0, 4), Span(5, 9))


@pytest.mark.parametrize(
    ("spans", "gaps"),
    [
        ([], [(None, 100)]),
        ([Span(10, 20)], [(None, 10), (20, 100)]),
        ([Span(10, 20), Span(40, 60)], [(None, 10), (20, 40), (60, 100)]),
        ([Span(90, 110)], [(None, 90)]),
        ([Span(100, 110)], [(None, 100)]),
        ([Span(150, 160)], [(None, 100)]),
        ([Span(0, 100)], [(None, 0)]),
    ],
)
def test_what_lies_between_may_be_removed(spans: list[Span], gaps: list[tuple[float | None, float]]) -> None:
    assert list(gaps_before(spans, 100)) == gaps
