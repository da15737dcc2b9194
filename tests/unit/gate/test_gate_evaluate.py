from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django import Settings

from gate.core.verdict import CheckName, Outcome
from gate.models import GateState, VerdictRecord
from gate.services import PURPOSE_START, gate_evaluate, lock_acquire, lock_release
from tests.support.builders import LARGE
from tests.support.fake_machine import FakeMachine

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("machine")]


def test_it_stores_an_admission_with_all_five_results() -> None:
    verdict = gate_evaluate(LARGE, purpose=PURPOSE_START, job_ref="7")
    row = VerdictRecord.objects.get()
    assert verdict.admitted
    assert (row.host, row.model, row.purpose, row.job_ref, row.admitted) == ("mini", "large-v3", "start", "7", True)
    assert row.verdict == verdict
    assert len(row.data["results"]) == 5


def test_it_stores_every_admission_for_a_start() -> None:
    gate_evaluate(LARGE, purpose=PURPOSE_START)
    gate_evaluate(LARGE, purpose=PURPOSE_START)
    assert VerdictRecord.objects.count() == 2


def test_it_counts_equal_rechecks_on_the_last_row(machine: FakeMachine) -> None:
    machine.available_bytes = 1
    for _ in range(3):
        gate_evaluate(LARGE, purpose=PURPOSE_START, job_ref="7")
    row = VerdictRecord.objects.get()
    assert row.repeats == 2
    assert row.last_at > row.taken_at


def test_it_stores_a_change(machine: FakeMachine) -> None:
    gate_evaluate(LARGE, purpose="chunk")
    machine.available_bytes = 1
    gate_evaluate(LARGE, purpose="chunk")
    machine.celsius = 90.0
    gate_evaluate(LARGE, purpose="chunk")
    assert [row.admitted for row in VerdictRecord.objects.order_by("pk")] == [True, False, False]


def test_it_keeps_the_series_of_two_jobs_apart(machine: FakeMachine) -> None:
    machine.available_bytes = 1
    for job_ref in ("7", "8", "7", "8"):
        gate_evaluate(LARGE, purpose=PURPOSE_START, job_ref=job_ref)
    assert [row.repeats for row in VerdictRecord.objects.all()] == [1, 1]


def test_the_heat_latch_survives_a_restart(machine: FakeMachine, restart: Callable[[], None]) -> None:
    machine.celsius = 83.0
    assert not gate_evaluate(LARGE, purpose="check").admitted
    machine.celsius = 76.0
    restart()
    assert not gate_evaluate(LARGE, purpose="check").admitted
    machine.celsius = 74.9
    restart()
    assert gate_evaluate(LARGE, purpose="check").admitted
    assert not GateState.objects.get().latched


def test_a_sensor_seen_before_a_restart_is_missed_after_it(machine: FakeMachine, restart: Callable[[], None]) -> None:
    gate_evaluate(LARGE, purpose="check")
    machine.celsius = None
    restart()
    assert gate_evaluate(LARGE, purpose="check").result(CheckName.TEMPERATURE).outcome is Outcome.UNKNOWN


def test_a_machine_without_a_sensor_is_admitted_with_a_warning(machine: FakeMachine) -> None:
    machine.celsius = None
    verdict = gate_evaluate(LARGE, purpose="check")
    assert verdict.admitted
    assert verdict.result(CheckName.TEMPERATURE).outcome is Outcome.WARN


def test_a_foreign_whisper_process_blocks(machine: FakeMachine) -> None:
    machine.commands = [("python", "-m", "whisper", "a.mp3")]
    assert not gate_evaluate(LARGE, purpose="check").admitted


def test_a_lock_of_our_own_does_not_stand_in_the_way() -> None:
    held = lock_acquire(model="large-v3", job_ref="7")
    try:
        assert not gate_evaluate(LARGE, purpose="chunk", job_ref="7").admitted
        verdict = gate_evaluate(LARGE, purpose="chunk", job_ref="7", held=held)
        assert verdict.admitted
        assert verdict.result(CheckName.LOCK).summary == "held by this run"
    finally:
        lock_release(held)


def test_a_lock_that_was_taken_from_us_stands_in_the_way() -> None:
    held = lock_acquire(model="large-v3")
    try:
        held.path.unlink()
        verdict = gate_evaluate(LARGE, purpose="chunk", held=held)
        assert not verdict.admitted
        assert "removed or replaced" in verdict.reason
    finally:
        lock_release(held)


def test_the_limits_are_those_of_the_settings(settings: Settings) -> None:
    settings.GATE_MARGIN_BYTES = 15 * 1024**3
    verdict = gate_evaluate(LARGE, purpose="check")
    assert not verdict.admitted
    assert verdict.never_passes
