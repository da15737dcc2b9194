"""The gate's page: five checks, the answer for every model, the limits, and what was decided before."""

from __future__ import annotations

import time
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from gate.core.policy import GatePolicy
from gate.core.units import GIB
from gate.models import LockEvent, PolicyChange, VerdictRecord
from gate.services import PURPOSE_START, gate_evaluate, lock_acquire, lock_release, policy_note
from j5a_admin.views.limits import limits_of
from tests.support.fake_machine import FakeMachine
from tests.support.gate_people import LOOK, gate_client
from tests.support.markup import element, elements, facts, has_id, inside, words
from tests.support.rows import EVIL, queued, running
from transcribe.catalog import catalog
from transcribe.models import RegisteredModel
from transcribe.resolve import model_requirement

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("machine")]

CHECKS = ["Memory", "Temperature", "Whisper processes", "Activity", "Lock"]


@pytest.fixture
def viewer() -> Client:
    return gate_client("viewer", *LOOK)


def checks(answer: Any) -> list[str]:
    return [row.words for row in elements(answer, "li", class_="check")]


def models(answer: Any) -> dict[str, str]:
    """What the page says to each model, after its name."""
    rows = [e for e in elements(answer, "li", class_="row") if e.parents[-1].attributes["class"] == "rows models"]
    names = [e.words for e in elements(answer, "a") if e.attributes.get("id", "").startswith("model-")]
    return {name: row.words.removeprefix(name).strip() for name, row in zip(names, rows, strict=True)}


# ── the five checks ──────────────────────────────────────────────────────────────────────────────
def test_all_five_checks_are_there_in_their_order(viewer: Client) -> None:
    rows = checks(viewer.get("/gate/"))
    assert [name for row, name in zip(rows, CHECKS, strict=True) if row.startswith(f"PASS {name} ")] == CHECKS


@pytest.mark.parametrize(
    ("change", "check", "unblocks"),
    [
        ({"available_bytes": 2 * GIB}, 0, "3.0 GiB short: the largest programs are init 1.0 GiB."),
        ({"celsius": 85.0}, 1, "starts again below 75.0 °C"),
        ({"commands": [("whisper", "a.wav")]}, 2, "Starts when it has ended; or stop it yourself."),
    ],
)
def test_what_blocks_says_what_would_unblock_it(
    viewer: Client,
    machine: FakeMachine,
    change: dict[str, Any],
    check: int,
    unblocks: str,
) -> None:
    vars(machine).update(change)
    answer = viewer.get("/gate/")
    rows = elements(answer, "li", class_="check")
    assert [at for at, row in enumerate(rows) if row.words.startswith("BLOCK ")] == [check]
    (said,) = [e for e in elements(answer, "p", class_="unblock") if rows[check] in e.parents]
    assert unblocks in said.words
    assert words(answer, "state-title") == "demo would not start now"


def test_the_lock_that_blocks_says_by_whom(viewer: Client) -> None:
    held = lock_acquire(model="demo", job_ref="gate run")
    try:
        row = checks(viewer.get("/gate/"))[4]
    finally:
        lock_release(held)
    assert row.startswith("BLOCK Lock Held by PID ")
    assert "for gate run Starts when the holder has ended." in row


def test_the_memory_check_names_the_five_largest_programs(viewer: Client, machine: FakeMachine) -> None:
    machine.commands = [(f"program{number}",) for number in range(7)]
    row = checks(viewer.get("/gate/"))[0]
    named = [number for number in range(7) if f"program{number} (PID {900_000 + number}): 1.0 GiB" in row]
    assert named == [0, 1, 2, 3, 4]


def test_the_checks_are_for_the_model_that_comes_next_or_was_asked_for(viewer: Client) -> None:
    assert words(viewer.get("/gate/"), "checks-title") == "The five checks for demo"
    queued(model="medium")
    assert words(viewer.get("/gate/"), "checks-title") == "The five checks for medium"
    assert words(viewer.get("/gate/?model=tiny"), "checks-title") == "The five checks for tiny"


@pytest.mark.parametrize("wanted", ["nonsense", "file:/etc/passwd", "registered:gone", EVIL])
def test_for_a_model_that_is_not_there_it_takes_the_next_one(viewer: Client, wanted: str) -> None:
    answer = viewer.get("/gate/", {"model": wanted})
    assert words(answer, "checks-title") == "The five checks for demo"
    assert EVIL not in answer.content.decode()


# ── every model ──────────────────────────────────────────────────────────────────────────────────
def test_every_model_has_its_answer(viewer: Client, machine: FakeMachine) -> None:
    machine.available_bytes = 9 * GIB
    said = models(viewer.get("/gate/"))
    assert list(said) == ["demo (40 words)", *(model.name for model in catalog())]
    assert said["tiny"] == "needs 1.0 GiB + margin Yes"
    assert said["medium"] == "needs 5.0 GiB + margin Yes"
    assert said["large-v3"] == "needs 10.0 GiB + margin Not now blocked by memory (5.0 GiB short)"


def test_all_that_is_in_the_way_is_named(viewer: Client, machine: FakeMachine) -> None:
    machine.available_bytes, machine.celsius = 9 * GIB, 85.0
    said = models(viewer.get("/gate/"))
    assert said["tiny"].endswith("Not now blocked by temperature")
    assert said["large-v3"].endswith("Not now blocked by memory (5.0 GiB short) and temperature")


def test_a_warning_does_not_stop_it(viewer: Client, machine: FakeMachine) -> None:
    machine.celsius = None
    assert models(viewer.get("/gate/"))["tiny"].endswith("Yes, with a warning temperature")


def test_a_model_that_can_never_start_here_is_told_with_the_largest_that_fits(
    viewer: Client,
    settings: Settings,
) -> None:
    settings.GATE_MARGIN_BYTES = 16 * GIB  # of 24
    answer = viewer.get("/gate/")
    assert models(answer)["large-v3"].endswith("Never here more than this machine has in all")
    assert "This machine can never start large-v1" in words(answer)
    assert "The largest model that fits is turbo." in words(answer)


def test_a_registered_model_is_among_them_until_its_file_is_gone(viewer: Client, tmp_path: Path) -> None:
    file = tmp_path / "mine.pt"
    file.write_bytes(b"x" * 1000)
    RegisteredModel.objects.create(name="mine", path=str(file), sha256="a" * 64, file_bytes=1000)
    assert models(viewer.get("/gate/"))["mine"] == "needs 1.0 GiB + margin Yes"
    assert words(viewer.get("/gate/?model=registered:mine"), "checks-title") == "The five checks for mine"
    file.unlink()
    assert "mine" not in models(viewer.get("/gate/"))


def test_the_link_of_a_model_shows_its_checks(viewer: Client) -> None:
    link = next(e for e in elements(viewer.get("/gate/"), "a") if e.words == "large-v3-turbo")
    answer = viewer.get(link["href"])
    assert words(answer, "checks-title") == "The five checks for large-v3-turbo"
    (current,) = [e for e in elements(answer, "a") if e.attributes.get("aria-current") == "true"]
    assert current.words == "large-v3-turbo"


# ── limits ───────────────────────────────────────────────────────────────────────────────────────
def test_every_limit_in_force_is_shown_with_its_setting(viewer: Client, settings: Settings) -> None:
    settings.GATE_MARGIN_BYTES = 3 * GIB
    shown = facts(viewer.get("/gate/"), "content")
    assert len(shown) == len(fields(GatePolicy))
    assert shown["Memory that must remain"] == "3.0 GiB J5A_MARGIN_GIB"
    assert shown["Blocks from"] == "80.0 °C J5A_TRIP_CELSIUS"
    assert shown["Pinned sensor"] == "none J5A_PINNED_SENSOR"
    assert shown["A holder is hung after"] == "15 min"


def test_every_limit_has_words_of_its_own_and_a_setting_that_is_read() -> None:
    read = (Path(django_settings.BASE_DIR) / "j5a_admin" / "settings.py").read_text()
    for limit in limits_of(GatePolicy()):
        assert " " in limit.label, limit.label
        assert f'("{limit.setting.removeprefix("J5A_")}"' in read or not limit.setting, limit.setting


def test_a_changed_limit_is_told_with_who_and_from_what_to_what(viewer: Client, settings: Settings) -> None:
    policy_note()
    settings.GATE_MARGIN_BYTES = GIB
    policy_note()
    PolicyChange.objects.create(
        host="mini", at=timezone.now(), who="anna", name="ignored_sensors", before="", after="applesmc/TCPG"
    )
    PolicyChange.objects.create(host="elsewhere", at=timezone.now(), who="ben", name="trip_celsius", after="1.0")
    rows = [e.words for e in inside(viewer.get("/gate/"), "content", "li") if "→" in e.words]
    assert len(rows) == 2
    assert "Ignored sensors: none → applesmc/TCPG by anna" in rows[0]
    assert "Memory that must remain: 4.0 GiB → 1.0 GiB found changed in the settings" in rows[1]


# ── history ──────────────────────────────────────────────────────────────────────────────────────
def test_verdicts_are_listed_newest_first_with_the_job_they_were_for(machine: FakeMachine) -> None:
    job = running()
    gate_evaluate(model_requirement("demo"), purpose=PURPOSE_START, job_ref=str(job.pk))
    machine.celsius = 85.0
    gate_evaluate(model_requirement("tiny"), purpose="check", job_ref="gate run")
    gate_evaluate(model_requirement("tiny"), purpose="check", job_ref="gate run")
    answer = gate_client("anna", *LOOK, "view_job").get("/gate/")
    first, second = (e.words for e in inside(answer, "gate-history", "li"))
    assert "BLOCKED tiny, gate run, check. Blocked by temperature: 85.0 °C" in first
    assert "2 times since" in first
    assert f"ADMITTED demo, job {job.pk}, start. Admitted: all five checks pass." in second
    assert [e["href"] for e in inside(answer, "gate-history", "a")] == [f"/jobs/{job.pk}/"]


def test_a_job_that_was_deleted_is_no_link(viewer: Client) -> None:
    for job_ref in ("4711", "9" * 40):
        gate_evaluate(model_requirement("demo"), purpose=PURPOSE_START, job_ref=job_ref)
    assert inside(gate_client("anna", *LOOK, "view_job").get("/gate/"), "gate-history", "a") == []


def test_the_figures_are_linked_for_who_may_see_them(administrator: Client) -> None:
    gate_evaluate(model_requirement("demo"), purpose=PURPOSE_START)
    record = VerdictRecord.objects.get()
    link = element(administrator.get("/gate/"), id=f"history-record-{record.pk}")
    assert administrator.get(link["href"]).status_code == 200


def test_before_the_first_question_it_says_so(viewer: Client) -> None:
    assert "The gate has not been asked yet." in words(viewer.get("/gate/"), "gate-history")


# ── the live part ────────────────────────────────────────────────────────────────────────────────
def test_the_live_part_asks_again_for_the_same_model(viewer: Client) -> None:
    part = element(viewer.get("/gate/?model=small.en"), id="gate-live")
    assert (part["hx-trigger"], part["hx-swap"]) == ("every 2s", "outerHTML")
    assert "?model=small.en&" in part["hx-get"]
    answer = viewer.get("/gate/live/?model=small.en")
    assert words(answer, "checks-title") == "The five checks for small.en"
    assert not has_id(answer, "content")


def test_the_live_part_follows_the_queue_when_no_model_was_asked_for(viewer: Client) -> None:
    address = element(viewer.get("/gate/"), id="gate-live")["hx-get"]
    assert words(viewer.get("/gate/live/"), "checks-title") == "The five checks for demo"
    queued(model="medium")
    assert words(viewer.get(address), "checks-title") == "The five checks for medium"


def test_the_history_rides_along_only_when_it_has_changed(viewer: Client) -> None:
    address = element(viewer.get("/gate/"), id="gate-live")["hx-get"]
    assert not has_id(viewer.get(address), "gate-history")
    gate_evaluate(model_requirement("demo"), purpose=PURPOSE_START)
    answer = viewer.get(address)
    assert element(answer, id="gate-history")["hx-swap-oob"] == "true"
    gate_evaluate(model_requirement("tiny"), purpose="check")
    gate_evaluate(model_requirement("tiny"), purpose="check")
    assert has_id(viewer.get(element(answer, id="gate-live")["hx-get"]), "gate-history")


def test_looking_changes_nothing(viewer: Client) -> None:
    viewer.get("/gate/")
    viewer.get("/gate/live/")
    assert not VerdictRecord.objects.exists()
    assert not LockEvent.objects.exists()
    assert not PolicyChange.objects.exists()
    assert not Path(django_settings.GATE_LOCK_PATH).exists()


def test_it_is_there_within_a_third_of_a_second(viewer: Client) -> None:
    for number in range(50):
        at = timezone.now() - timedelta(minutes=number)
        record = {"model": "demo", "purpose": "start", "admitted": True, "reason": "Admitted.", "data": {}}
        VerdictRecord.objects.create(host="mini", taken_at=at, last_at=at, job_ref=str(number), **record)
    viewer.get("/gate/")  # templates and modules are read once
    begun = time.process_time()
    viewer.get("/gate/")
    assert time.process_time() - begun < 0.3
