"""The dashboard on a machine whose readings the test sets: gate, lock, running job, queue, samples."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from gate.core.units import GIB
from gate.models import SensorSample, VerdictRecord
from gate.services import lock_acquire, lock_release
from tests.support.fake_machine import FakeMachine
from tests.support.markup import element, elements, facts, has_id, words
from tests.support.rows import RATE, in_status, queued, running
from transcribe.models import Chunk
from transcribe.states import ChunkStatus, JobStatus

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("machine")]

CHECKS = ["Memory", "Temperature", "Whisper processes", "Activity", "Lock"]


def title(client: Client) -> str:
    return words(client.get("/"), "state-title")


def card(answer: Any, identifier: str) -> str:
    """The text of the card with this title."""
    return element(answer, "section", aria_labelledby=identifier).words


def test_all_five_checks_are_shown_in_order_with_their_figures(operator: Client, machine: FakeMachine) -> None:
    machine.available_bytes = 20 * GIB
    answer = operator.get("/")
    rows = [row.words for row in elements(answer, "li", class_="check")]
    assert [name for row, name in zip(rows, CHECKS, strict=True) if row.startswith(f"PASS {name} ")] == CHECKS
    assert "20.0 GiB available" in rows[0] and "needed (demo" in rows[0]
    assert "45.0 °C" in rows[1] and "limit 80.0 °C" in rows[1]
    assert "No other Whisper process runs" in rows[2]
    assert "limit 500 MiB" in rows[3]
    assert "Free" in rows[4]


def test_it_is_ready_on_a_calm_machine(operator: Client) -> None:
    assert title(operator) == "Ready"


def test_it_is_ready_with_a_warning_without_a_sensor(operator: Client, machine: FakeMachine) -> None:
    machine.celsius = None
    assert title(operator) == "Ready, with a warning"


@pytest.mark.parametrize(
    ("change", "check", "figure"),
    [
        ({"available_bytes": 1 * GIB}, 0, "1.0 GiB available"),
        ({"celsius": 85.0}, 1, "85.0 °C"),
        ({"commands": [("whisper", "a.wav")]}, 2, "whisper (PID 900000"),
    ],
)
def test_it_is_blocked_and_says_by_what_and_what_would_help(
    operator: Client,
    machine: FakeMachine,
    change: dict[str, Any],
    check: int,
    figure: str,
) -> None:
    vars(machine).update(change)
    answer = operator.get("/")
    assert words(answer, "state-title") == "Blocked"
    rows = elements(answer, "li", class_="check")
    blocked = [index for index, row in enumerate(rows) if row.words.startswith("BLOCK ")]
    assert blocked == [check]
    assert figure in rows[check].words
    assert len([e for e in elements(answer, "p", class_="quiet") if rows[check] in e.parents]) >= 1


def test_it_is_busy_while_somebody_else_holds_the_lock(operator: Client) -> None:
    held = lock_acquire(model="large-v3", job_ref="job 7")
    try:
        answer = operator.get("/")
    finally:
        lock_release(held)
    assert words(answer, "state-title") == "Busy"
    assert words(answer, "lock-title") == "Lock held"
    shown = card(answer, "lock-title")
    assert "Held for job 7 Model large-v3 Process " + str(os.getpid()) in shown
    assert title(operator) == "Ready"


def test_it_works_while_a_job_runs_under_the_lock(operator: Client) -> None:
    job = running(title="Board meeting", position_seconds=300.0)
    held = lock_acquire(model="demo", job_ref=f"job {job.pk}")
    try:
        answer = operator.get("/")
    finally:
        lock_release(held)
    assert words(answer, "state-title") == "Working"
    assert element(answer, id="go-running")["href"] == f"/jobs/{job.pk}/"
    assert "5:00 of 20:00" in card(answer, "running-title")
    assert element(answer, "progress")["value"] == "25"
    assert "Whisper processes No other Whisper process runs" in words(answer)


def test_a_free_lock_shows_only_its_file(operator: Client) -> None:
    assert words(operator.get("/"), "lock-title") == "Lock free"
    assert str(settings.GATE_LOCK_PATH) in card(operator.get("/"), "lock-title")
    assert "Process" not in card(operator.get("/"), "lock-title")


@pytest.mark.parametrize(
    ("line", "state", "heading"),
    [
        (b"1\n", "legacy", "Busy"),
        (b"4194304\n", "stale", "Ready, with a warning"),
        (b"\xff\x00garbage", "malformed", "Busy"),
    ],
)
def test_other_states_of_the_lock_are_told(operator: Client, line: bytes, state: str, heading: str) -> None:
    settings.GATE_LOCK_PATH.parent.mkdir(mode=0o700)
    settings.GATE_LOCK_PATH.write_bytes(line)
    answer = operator.get("/")
    assert words(answer, "lock-title") == f"Lock {state}"
    assert words(answer, "state-title") == heading
    assert settings.GATE_LOCK_PATH.read_bytes() == line


def test_an_empty_panel_says_so(operator: Client) -> None:
    text = words(operator.get("/"))
    for sentence in ("Nothing runs.", "No job waits.", "No samples yet.", "No job has finished yet."):
        assert sentence in text


@pytest.mark.parametrize(
    ("count", "text"),
    [(1, "1 job is held until somebody releases it."), (2, "2 jobs are held until somebody releases them.")],
)
def test_held_jobs_are_not_forgotten(operator: Client, count: int, text: str) -> None:
    for _ in range(count):
        in_status(JobStatus.PAUSED)
    assert words(operator.get("/"), "held") == text


def test_the_queue_is_shown_in_its_order_with_the_work_ahead(operator: Client) -> None:
    past = in_status(JobStatus.SUCCEEDED)
    now = timezone.now()
    Chunk.objects.create(
        job=past,
        index=0,
        start_sample=0,
        end_sample=100 * RATE,
        status=ChunkStatus.DONE,
        started_at=now - timedelta(seconds=100),
        finished_at=now,
    )
    for name in ("first", "second", "third"):
        queued(title=name)
    rows = [e.words for e in elements(operator.get("/"), "li") if e.parents[-1].attributes.get("class") == "queue"]
    assert rows == [
        "first Queued 20:00 long",
        "second Queued about 20 min of work ahead",
        "third Queued about 40 min of work ahead",
    ]


def test_a_blocked_job_in_the_queue_gives_its_reason(operator: Client) -> None:
    in_status(JobStatus.BLOCKED)
    assert "the reason for blocked Next try in" in card(operator.get("/"), "running-title")


def test_a_long_queue_is_cut_and_counted(operator: Client) -> None:
    for _ in range(9):
        queued()
    answer = operator.get("/")
    assert len([e for e in elements(answer, "li") if e.parents[-1].attributes.get("class") == "queue"]) == 6
    assert "3 more" in card(answer, "running-title")


def test_the_gate_answers_for_the_model_that_comes_next(operator: Client) -> None:
    assert "for demo" in words(operator.get("/"), "checks-title")
    queued(model="large-v3")
    assert "for large-v3" in words(operator.get("/"), "checks-title")


def test_the_last_samples_are_shown_newest_first_and_drawn(operator: Client) -> None:
    now = timezone.now()
    for at in range(8):
        SensorSample.objects.create(
            host="mini",
            taken_at=now - timedelta(seconds=10 * at),
            available_bytes=(at + 1) * GIB,
            celsius=40.0 + at,
            load1=0.5,
        )
    SensorSample.objects.create(host="elsewhere", taken_at=now, available_bytes=99 * GIB)
    answer = operator.get("/")
    cells = [e.words for e in elements(answer, "td")]
    assert cells[1:4] == ["1.0 GiB", "40.0 °C", "0.50"]
    assert len(cells) == 6 * 4
    assert "now 1.0 GiB, least 1.0 GiB, most 8.0 GiB" in card(answer, "samples-title")
    assert len(element(answer, "polyline")["points"].split()) == 8


def test_a_reading_that_failed_is_a_dash(operator: Client) -> None:
    SensorSample.objects.create(host="mini", taken_at=timezone.now())
    assert [e.words for e in elements(operator.get("/"), "td")][1:] == ["–", "–", "–"]


def test_old_samples_are_not_shown(operator: Client) -> None:
    SensorSample.objects.create(host="mini", taken_at=timezone.now() - timedelta(minutes=16), available_bytes=GIB)
    assert elements(operator.get("/"), "td") == []


def test_the_last_finished_jobs_are_shown(operator: Client) -> None:
    for number in range(7):
        in_status(JobStatus.SUCCEEDED, title=f"job {number}")
    rows = [e.words for e in elements(operator.get("/"), "a", class_="job-link")]
    assert rows == ["job 6", "job 5", "job 4", "job 3", "job 2"]


def test_the_live_part_is_the_same_and_asks_again(operator: Client) -> None:
    queued()
    whole, part = operator.get("/"), operator.get("/live/")
    assert words(part, "dashboard") == words(whole, "dashboard")
    assert element(part, id="dashboard")["hx-get"] == element(whole, id="dashboard")["hx-get"]
    assert elements(part, "html") == []
    assert not has_id(part, "content")


def test_looking_writes_no_verdict(operator: Client) -> None:
    operator.get("/")
    operator.get("/live/")
    assert not VerdictRecord.objects.exists()


def test_a_long_queue_costs_no_more_questions_than_a_short_one(
    operator: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(40):
        queued()
    with django_assert_max_num_queries(40):
        operator.get("/live/")


def test_figures_are_paired(operator: Client) -> None:
    assert facts(operator.get("/"), "dashboard") == {"File": str(settings.GATE_LOCK_PATH)}
