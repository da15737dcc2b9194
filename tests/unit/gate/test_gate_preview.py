from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from gate.models import GateState, VerdictRecord
from gate.services import gate_preview
from tests.support.builders import LARGE
from tests.support.fake_machine import FakeMachine

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("machine")
def test_it_stores_no_verdict() -> None:
    assert gate_preview(LARGE).admitted
    assert not VerdictRecord.objects.exists()


def test_it_keeps_the_latch(machine: FakeMachine) -> None:
    machine.celsius = 83.0
    gate_preview(LARGE)
    machine.celsius = 76.0
    assert not gate_preview(LARGE).admitted
    assert GateState.objects.get().latched


@pytest.mark.usefixtures("machine")
def test_it_asks_the_database_little_once_the_machine_is_known(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    gate_preview(LARGE)
    with django_assert_num_queries(2):  # the host's state and the chosen sensors
        gate_preview(LARGE)
