"""The first card of the dashboard: one title, one sentence, one colour, from a verdict and the running job."""

from __future__ import annotations

from typing import Any

import pytest

from gate.core.evaluate import evaluate
from gate.core.hysteresis import Latch
from gate.core.policy import GatePolicy
from gate.core.readings import ActivityReading, ForeignProcess, LockState, ProcessReading
from gate.core.units import GIB
from gate.core.verdict import Verdict
from j5a_admin.views.dashboard import panel_state
from tests.support.builders import LARGE, lock, memory, snapshot, temperature
from tests.support.rows import running
from transcribe.selectors import job_row

FOREIGN = ProcessReading(foreign=(ForeignProcess(pid=7, what="whisper", command="whisper a.wav", age_seconds=60.0),))
HELD = lock(LockState.HELD, held_by_pid=7)


def verdict(**readings: Any) -> Verdict:
    return evaluate(snapshot(**readings), GatePolicy(), LARGE, Latch(False))


@pytest.mark.parametrize(
    ("readings", "title", "tone"),
    [
        ({}, "Ready", "good"),
        ({"activity": ActivityReading(total_bytes=3 * GIB)}, "Ready, with a warning", "warn"),
        ({"temperature": temperature(None, ever_seen=False)}, "Ready, with a warning", "warn"),
        ({"lock": lock(LockState.STALE)}, "Ready, with a warning", "warn"),
        ({"lock": HELD}, "Busy", "bad"),
        ({"lock": lock(LockState.LEGACY, held_by_pid=7)}, "Busy", "bad"),
        ({"memory": memory(1 * GIB)}, "Blocked", "bad"),
        ({"memory": memory(None)}, "Blocked", "bad"),
        ({"temperature": temperature(85.0)}, "Blocked", "bad"),
        ({"processes": FOREIGN}, "Blocked", "bad"),
        ({"memory": memory(1 * GIB), "lock": HELD}, "Blocked", "bad"),
    ],
)
def test_the_title_follows_the_verdict(readings: dict[str, Any], title: str, tone: str) -> None:
    state = panel_state(verdict(**readings), None)
    assert (state.title, state.tone) == (title, tone)


def test_a_block_is_told_with_its_figures() -> None:
    text = panel_state(verdict(memory=memory(1 * GIB)), None).text
    assert text.startswith("Blocked by memory: 1.0 GiB available, 14.0 GiB needed")


def test_a_warning_is_told_in_words() -> None:
    text = panel_state(verdict(temperature=temperature(None, ever_seen=False)), None).text
    assert text == "large-v3 would start now. Warning: no temperature sensor here."


@pytest.mark.django_db
@pytest.mark.parametrize("readings", [{}, {"lock": HELD}, {"memory": memory(1 * GIB)}])
def test_while_a_job_runs_the_panel_works_whatever_the_gate_would_say_to_another(readings: dict[str, Any]) -> None:
    state = panel_state(verdict(**readings), job_row(running(title="Board meeting")))
    assert (state.title, state.tone) == ("Working", "busy")
    assert "“Board meeting” is being read" in state.text


@pytest.mark.django_db
def test_a_job_whose_engine_stands_still_for_heat_is_not_said_to_be_read() -> None:
    job = running(title="Board meeting")
    job.activity = "Paused for heat: 82.0 °C, goes on below 75.0 °C"
    state = panel_state(verdict(), job_row(job))
    assert (state.title, state.tone) == ("Paused for heat", "warn")
    assert state.text == "“Board meeting” is not being read at the moment: 82.0 °C, goes on below 75.0 °C."
