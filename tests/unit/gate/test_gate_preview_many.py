"""The gate's answer for several models at once: one look at the machine, one answer for each."""

from __future__ import annotations

import psutil
import pytest
from psutil._ntuples import svmem
from pytest_django import DjangoAssertNumQueries

from gate.core.requirement import Requirement
from gate.core.units import GIB
from gate.models import GateState, VerdictRecord
from gate.services import gate_preview, gate_preview_many
from tests.support.builders import LARGE
from tests.support.fake_machine import FakeMachine

pytestmark = pytest.mark.django_db

TINY = Requirement("tiny", GIB, "test")


def test_it_answers_for_each_in_their_order(machine: FakeMachine) -> None:
    machine.available_bytes = 6 * GIB
    small, large = gate_preview_many([TINY, LARGE])
    assert (small.requirement.model, small.admitted) == ("tiny", True)
    assert (large.requirement.model, large.admitted) == ("large-v3", False)


def test_it_says_what_one_preview_says(machine: FakeMachine) -> None:
    machine.available_bytes = 6 * GIB
    assert [v.results[0] for v in gate_preview_many([TINY, LARGE])] == [
        gate_preview(TINY).results[0],
        gate_preview(LARGE).results[0],
    ]


def test_the_answers_are_of_one_look(machine: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([6 * GIB, 20 * GIB])

    def more_each_time() -> svmem:
        machine.available_bytes = next(looks)
        return machine.virtual_memory()

    monkeypatch.setattr(psutil, "virtual_memory", more_each_time)
    first, second = gate_preview_many([LARGE, LARGE])
    assert first.taken_at == second.taken_at
    assert (first.admitted, second.admitted) == (False, False)


@pytest.mark.usefixtures("machine")
def test_it_stores_no_verdict() -> None:
    gate_preview_many([TINY, LARGE])
    assert not VerdictRecord.objects.exists()


def test_it_keeps_the_latch(machine: FakeMachine) -> None:
    machine.celsius = 83.0
    gate_preview_many([TINY, LARGE])
    assert GateState.objects.get().latched
    machine.celsius = 76.0
    assert [verdict.admitted for verdict in gate_preview_many([TINY, LARGE])] == [False, False]


@pytest.mark.usefixtures("machine")
def test_it_asks_the_database_no_more_for_many_than_for_one(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    gate_preview(TINY)
    with django_assert_max_num_queries(3):
        gate_preview_many([TINY] * 15)


@pytest.mark.usefixtures("machine")
def test_for_no_model_it_has_no_answer() -> None:
    assert gate_preview_many([]) == []
