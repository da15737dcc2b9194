"""The lock's page: its state, who holds it and the proof of that, line by line, and what happened to it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from gate.core.heldlock import HeldLock
from gate.core.identity import read_machine, read_process
from gate.models import LockEvent, LockEventKind
from gate.services import lock_acquire, lock_clear_stale, lock_release
from tests.support.gate_people import ACT, LOOK, gate_client
from tests.support.groups import working_group
from tests.support.markup import element, elements, facts, has_id, inside, words
from tests.support.rows import EVIL, in_status, running
from tests.unit.gate.test_lock_events import gone_pid, write_lock
from transcribe.states import JobStatus

pytestmark = pytest.mark.django_db

BUTTONS = ("clear-lock", "stop-holder")


@pytest.fixture(autouse=True)
def _host(settings: Settings) -> None:
    settings.HOST_ID = "mini"


@pytest.fixture
def viewer() -> Client:
    return gate_client("viewer", *LOOK)


@pytest.fixture
def actor() -> Client:
    return gate_client("anna", *ACT)


@contextmanager
def held(**values: Any) -> Iterator[HeldLock]:
    """By this very process."""
    lock = lock_acquire(**{"model": "large-v3", **values})
    try:
        yield lock
    finally:
        lock_release(lock)


def proof(answer: Any) -> list[str]:
    return [e.words for e in inside(answer, "lock-live", "li")]


def buttons(answer: Any) -> set[str]:
    return {name for name in BUTTONS if has_id(answer, name)}


# ── states ───────────────────────────────────────────────────────────────────────────────────────
def test_a_free_lock_is_told_with_its_proof(viewer: Client) -> None:
    answer = viewer.get("/lock/")
    assert words(answer, "state-title") == "Free"
    assert proof(answer) == ["no lock directory"]
    assert str(django_settings.GATE_LOCK_PATH) in words(answer, "lock-live")
    assert facts(answer, "lock-live") == {}


def test_a_holder_is_shown_line_by_line(viewer: Client) -> None:
    with held(job_ref="gate run", command="whisper talk.wav") as lock:
        lock.heartbeat()
        answer = viewer.get("/lock/")
    shown = facts(answer, "lock-live")
    ticks = read_process(os.getpid()).start_ticks
    assert list(shown) == [
        "PID", "Started", "Boot", "Host", "User", "Command", "Model", "Works for", "Since", "Last sign of life",
    ]  # fmt: skip
    assert shown["PID"] == str(os.getpid())
    assert f"({ticks} ticks after boot)" in shown["Started"]
    assert shown["Boot"] == read_machine().boot_id
    assert (shown["Host"], shown["User"]) == ("mini", lock.record.user)
    assert (shown["Command"], shown["Model"], shown["Works for"]) == ("whisper talk.wav", "large-v3", "gate run")
    assert shown["Last sign of life"] in {"0 s ago", "1 s ago"}
    assert words(answer, "state-title") == f"Held by PID {os.getpid()} for gate run"
    assert proof(answer)[:2] == ["kernel lock: held", f"PID {os.getpid()}: has it"]


def test_the_start_is_told_as_a_time_too(viewer: Client) -> None:
    with held():
        answer = viewer.get("/lock/")
    started = inside(answer, "lock-live", "time")[0]["datetime"]
    age_seconds = (timezone.now() - datetime.fromisoformat(started)).total_seconds()
    elapsed = subprocess.run(
        ["ps", "-o", "etimes=", "-p", str(os.getpid())], capture_output=True, text=True, check=True
    ).stdout
    assert age_seconds == pytest.approx(float(elapsed), abs=5)


def test_a_stale_lock_names_who_held_it_last(viewer: Client) -> None:
    pid = gone_pid()
    with held():
        record = record_path().read_text()
    leave_behind(pid, record)
    answer = viewer.get("/lock/")
    assert words(answer, "state-title") == f"Stale: its PID {pid} is gone"
    assert facts(answer, "lock-live")["Model"] == "large-v3"
    assert "Who held it last" in words(answer, "lock-live")
    assert proof(answer) == ["kernel lock: free", f"PID {pid}: no such process"]


def test_a_stale_lock_of_an_older_script_says_that_only_its_pid_is_known(viewer: Client, settings: Settings) -> None:
    write_lock(settings, f"{gone_pid()}\n")
    answer = viewer.get("/lock/")
    assert "Who held it last An older script, which left only its PID" in words(answer, "lock-live")
    assert "The next start takes it over." in words(answer, "lock-live")


def leave_behind(pid: int, record: str) -> None:
    """The files as a holder leaves them that was killed."""
    path = Path(django_settings.GATE_LOCK_PATH)
    path.write_text(f"{pid}\n")
    changed = {"pid": pid, "released": False, "line_mtime_ns": path.stat().st_mtime_ns}
    record_path().write_text(json.dumps(json.loads(record) | changed))


def record_path() -> Path:
    return Path(django_settings.GATE_LOCK_PATH).with_suffix(".lock.json")


def rewrite(**changes: Any) -> None:
    """Other facts in the record, its bond to the PID line kept."""
    record_path().write_text(json.dumps(json.loads(record_path().read_text()) | changes))


def test_an_older_script_is_shown_as_what_runs_under_its_pid(viewer: Client, settings: Settings) -> None:
    script = subprocess.Popen(["sleep", "300"])
    try:
        write_lock(settings, f"{script.pid}\n")
        answer = viewer.get("/lock/")
    finally:
        script.kill()
        script.wait()
    assert words(answer, "state-title") == f"Held by PID {script.pid}, an older script without kernel lock"
    shown = facts(answer, "lock-live")
    assert (shown["PID"], shown["Command"]) == (str(script.pid), "sleep 300 (what runs as this PID now)")


def test_a_lock_that_cannot_be_read_is_told(viewer: Client, settings: Settings) -> None:
    write_lock(settings, "nonsense\n")
    answer = viewer.get("/lock/")
    assert "The lock file does not hold a PID" in words(answer, "state-title")
    assert "The files name nobody." in words(answer, "lock-live")
    assert "See that no Whisper runs here, then clear it with `manage.py gate lock clear-stale`." in words(
        answer, "lock-live"
    )


@pytest.mark.parametrize(
    "facts_",
    [
        {"since_unix": 1e300},
        {"since_unix": float("nan")},
        {"since_unix": float("inf")},
        {"since_unix": -5},
        {"start_ticks": 10**400},
        {"start_ticks": -1},
        {"boot_id": None, "start_ticks": None},
    ],
)
def test_a_record_with_impossible_figures_is_still_a_page(viewer: Client, facts_: dict[str, Any]) -> None:
    with held() as lock:
        rewrite(**facts_)
        answer = viewer.get("/lock/")
    assert answer.status_code == 200
    assert facts(answer, "lock-live")["PID"] == str(lock.record.pid)


def test_what_a_record_says_is_escaped() -> None:
    reader = gate_client("anna", *ACT, "view_job")
    with working_group(job_ref=EVIL):
        rewrite(user=EVIL, command=EVIL, model=EVIL)
        for address in ("/lock/", "/lock/live/", "/lock/stop/", "/lock/clear/", "/gate/", "/"):
            answer = reader.get(address)
            assert (answer.status_code, EVIL.encode() in answer.content) == (200, False), address
        shown = facts(reader.get("/lock/"), "lock-live")
    assert {shown[name] for name in ("User", "Command", "Model", "Works for")} == {EVIL}


# ── the job ──────────────────────────────────────────────────────────────────────────────────────
def test_the_job_it_works_for_is_linked() -> None:
    job = running(title="Board meeting")
    with held(job_ref=f"job {job.pk}"):
        answer = gate_client("ben", *LOOK, "view_job").get("/lock/")
    link = element(answer, id="holder-job")
    assert (link["href"], link.words) == (f"/jobs/{job.pk}/", f"job {job.pk}: Board meeting")


def test_a_job_is_no_link_for_who_may_not_see_jobs(viewer: Client) -> None:
    job = running(title="Board meeting")
    with held(job_ref=f"job {job.pk}"):
        answer = viewer.get("/lock/")
    assert not has_id(answer, "holder-job")
    assert "Board meeting" not in words(answer)
    assert facts(answer, "lock-live")["Works for"] == f"job {job.pk}"


@pytest.mark.parametrize("job_ref", ["job 4711", "job x", "job 1 extra", f"job {'9' * 40}", "gate run", ""])
def test_what_is_no_running_job_of_this_panel_is_no_link(job_ref: str) -> None:
    with held(job_ref=job_ref):
        answer = gate_client("ben", *LOOK, "view_job").get("/lock/")
    assert not has_id(answer, "holder-job")
    assert facts(answer, "lock-live")["Works for"] == (job_ref or "nobody named")


def test_a_job_that_has_ended_is_not_what_the_holder_works_for() -> None:
    job = in_status(JobStatus.SUCCEEDED)
    with held(job_ref=f"job {job.pk}"):
        assert not has_id(gate_client("ben", *LOOK, "view_job").get("/lock/"), "holder-job")


# ── buttons ──────────────────────────────────────────────────────────────────────────────────────
def test_who_may_act_is_offered_to_clear_only_what_is_proved_stale(actor: Client, settings: Settings) -> None:
    assert buttons(actor.get("/lock/")) == set()
    write_lock(settings, f"{gone_pid()}\n")
    assert buttons(actor.get("/lock/")) == {"clear-lock"}
    Path(settings.GATE_LOCK_PATH).write_text("nonsense\n")
    assert buttons(actor.get("/lock/")) == set()


def test_who_may_act_is_offered_to_stop_only_a_group_of_our_own(actor: Client) -> None:
    with held():
        answer = actor.get("/lock/")
    assert buttons(answer) == set()
    assert "The holder cannot be stopped from here: PID" in words(answer, "lock-live")
    with working_group():
        assert buttons(actor.get("/lock/")) == {"stop-holder"}


def test_who_may_only_look_is_offered_nothing(viewer: Client, settings: Settings) -> None:
    with working_group():
        answer = viewer.get("/lock/")
    assert buttons(answer) == set()
    assert "cannot be stopped" not in words(answer)
    Path(settings.GATE_LOCK_PATH).write_text(f"{gone_pid()}\n")
    answer = viewer.get("/lock/")
    assert "Stale" in words(answer, "state-title")
    assert buttons(answer) == set()
    assert [e["action"] for e in elements(answer, "form")] == ["/admin/logout/"]


# ── history ──────────────────────────────────────────────────────────────────────────────────────
def test_what_happened_is_listed_newest_first_with_the_evidence(viewer: Client, settings: Settings) -> None:
    with held(job_ref="gate run"):
        pass
    pid = gone_pid()
    Path(settings.GATE_LOCK_PATH).write_text(f"{pid}\n")
    lock_clear_stale("anna", "power cut")
    LockEvent.objects.create(host="elsewhere", kind=LockEventKind.CLEARED, at=timezone.now(), who="ben")
    answer = viewer.get("/lock/")
    rows = [e.words for e in inside(answer, "lock-history", "li") if e.parents[-1].tag == "ol"]
    assert len(rows) == 3
    assert "cleared by a person anna: power cut kernel lock: free record: none" in rows[0]
    assert f"PID {pid}: no such process" in rows[0]
    assert f"released PID {os.getpid()}, gate run" in rows[1]
    assert f"acquired PID {os.getpid()}, gate run: large-v3" in rows[2]


def test_the_jobs_in_the_history_are_linked_while_they_are_there() -> None:
    job = in_status(JobStatus.FAILED)
    for job_ref in (f"job {job.pk}", "job 4711"):
        with held(job_ref=job_ref):
            pass
    answer = gate_client("ben", *LOOK, "view_job").get("/lock/")
    assert {e["href"] for e in inside(answer, "lock-history", "a")} == {f"/jobs/{job.pk}/"}


# ── the live part ────────────────────────────────────────────────────────────────────────────────
def test_the_live_part_is_the_same_and_asks_again(viewer: Client) -> None:
    with held():
        whole, part = viewer.get("/lock/"), viewer.get("/lock/live/")
    assert words(part, "state-title") == words(whole, "state-title")
    assert element(part, id="lock-live")["hx-trigger"] == "every 2s"
    assert not has_id(part, "content")
    assert elements(part, "form") == []


def test_the_history_rides_along_only_when_it_has_changed(viewer: Client) -> None:
    address = element(viewer.get("/lock/"), id="lock-live")["hx-get"]
    assert not has_id(viewer.get(address), "lock-history")
    with held():
        answer = viewer.get(address)
    assert element(answer, id="lock-history")["hx-swap-oob"] == "true"
    assert not has_id(viewer.get(element(viewer.get("/lock/"), id="lock-live")["hx-get"]), "lock-history")


def test_looking_changes_nothing(actor: Client, settings: Settings) -> None:
    write_lock(settings, f"{gone_pid()}\n")
    before = Path(settings.GATE_LOCK_PATH).read_bytes()
    for address in ("/lock/", "/lock/live/", "/lock/clear/", "/lock/stop/"):
        for look in (actor.get, actor.head):
            assert look(address).status_code == 200
    assert Path(settings.GATE_LOCK_PATH).read_bytes() == before
    assert not LockEvent.objects.exists()


def test_it_is_there_within_a_third_of_a_second(viewer: Client) -> None:
    with held():
        viewer.get("/lock/")
        begun = time.process_time()
        viewer.get("/lock/")
        assert time.process_time() - begun < 0.3
