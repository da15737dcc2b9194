"""Clearing a stale lock and stopping its holder: by administrators, confirmed, proved again at the last moment."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connections
from django.test import Client
from pytest_django import Settings

from gate.core.readings import LockState
from gate.models import LockEvent, LockEventKind
from gate.services import lock_status
from tests.support.gate_people import ACT, LOOK, gate_client
from tests.support.groups import STUBBORN, is_running, members, working_group
from tests.support.markup import element, elements, has_id, messages, words
from tests.support.panel import BASE_DIR, until
from tests.support.rows import in_status, running
from tests.unit.gate.test_lock_events import gone_pid, write_lock
from transcribe.models import Job
from transcribe.states import JobStatus

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _host(settings: Settings) -> None:
    settings.HOST_ID = "mini"


@pytest.fixture
def actor() -> Client:
    return gate_client("anna", *ACT)


@pytest.fixture
def stale(settings: Settings) -> int:
    """A real lock file whose holder is gone; the PID it names."""
    pid = gone_pid()
    write_lock(settings, f"{pid}\n")
    return pid


@contextmanager
def child_that_takes_it() -> Iterator[int]:
    """A real process that takes the lock, also one that was stale."""
    command = [sys.executable, "-m", "tests.support.lock_child", str(django_settings.GATE_LOCK_PATH)]
    child = subprocess.Popen(command, cwd=BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        yield child.pid
    finally:
        child.kill()
        child.communicate()


def line() -> str:
    return Path(django_settings.GATE_LOCK_PATH).read_text()


def clear(client: Client, why: str = "") -> Any:
    return client.post("/lock/clear/", {"why": why}, follow=True)


def stop(client: Client, pid: int, *, job_ref: str = "", why: str = "") -> Any:
    return client.post("/lock/stop/", {"pid": pid, "job_ref": job_ref, "why": why}, follow=True)


# ── clearing ─────────────────────────────────────────────────────────────────────────────────────
def test_a_stale_lock_is_cleared_and_who_why_and_the_proof_are_kept(actor: Client, stale: int) -> None:
    answer = clear(actor, "power cut")
    assert answer.redirect_chain == [("/lock/", 302)]
    assert messages(answer) == [f"The lock is cleared. It was stale: its PID {stale} is gone."]
    assert line() == ""
    assert lock_status().state is LockState.FREE
    event = LockEvent.objects.get()
    assert (event.kind, event.who, event.why) == (LockEventKind.CLEARED, "anna", "power cut")
    assert f"PID {stale}: no such process" in event.evidence["proof"]


def test_the_question_shows_the_proof_and_offers_a_way_back(actor: Client, stale: int) -> None:
    answer = actor.get("/lock/clear/")
    assert element(answer, "h1").words == "Clear the stale lock?"
    assert f"PID {stale}: no such process" in words(answer)
    assert element(answer, "button", class_="danger").words == "Clear the lock"
    assert '<a class="button" href="/lock/">' in answer.content.decode()


def test_a_lock_that_is_not_stale_has_no_button(actor: Client) -> None:
    assert "There is nothing to clear." in words(actor.get("/lock/clear/"))
    with child_that_takes_it() as pid:
        answer = actor.get("/lock/clear/")
    assert f"Not proved stale: held by PID {pid}." in words(answer)
    assert elements(answer, "button", class_="danger") == []


def test_a_live_holder_is_not_cleared_and_the_person_told_who_it_is(actor: Client) -> None:
    with child_that_takes_it() as pid:
        answer = clear(actor, "impatient")
        assert line() == f"{pid}\n"
    (said,) = messages(answer)
    assert said.startswith(f"Not cleared, nothing was changed: held by PID {pid} (user ")
    assert "tests.support.lock_child" in said
    event = LockEvent.objects.get()
    assert (event.kind, event.who, event.pid) == (LockEventKind.REFUSED, "anna", pid)
    assert event.why == "clearing refused: impatient"


def test_a_lock_that_was_taken_after_the_page_was_opened_is_not_cleared(actor: Client, stale: int) -> None:
    assert has_id(actor.get("/lock/"), "clear-lock")
    assert elements(actor.get("/lock/clear/"), "button", class_="danger")
    with child_that_takes_it() as pid:
        answer = clear(actor)
        assert line() == f"{pid}\n"
        assert lock_status().held_by_pid == pid
    assert f"held by PID {pid}" in messages(answer)[0]


def test_an_older_script_that_came_after_the_page_was_opened_is_not_cleared(actor: Client, stale: int) -> None:
    assert elements(actor.get("/lock/clear/"), "button", class_="danger")
    script = subprocess.Popen(["sleep", "300"])
    try:
        Path(django_settings.GATE_LOCK_PATH).write_text(f"{script.pid}\n")
        answer = clear(actor)
        assert line() == f"{script.pid}\n"
    finally:
        script.kill()
        script.wait()
    assert f"held by PID {script.pid}, an older script without kernel lock" in messages(answer)[0]


def test_a_free_lock_is_left_and_told(actor: Client, stale: int) -> None:
    clear(actor)
    assert messages(clear(actor)) == ["There is nothing to clear: the lock is free."]
    assert [event.kind for event in LockEvent.objects.all()] == [LockEventKind.CLEARED]


def test_garbage_is_not_proof(actor: Client, settings: Settings) -> None:
    write_lock(settings, "nonsense\n")
    (said,) = messages(clear(actor, "impatient"))
    assert said.startswith("Not cleared: the lock file does not hold a PID")
    assert said.endswith("See that no Whisper runs here, then clear it with `manage.py gate lock clear-stale`.")
    assert line() == "nonsense\n"
    event = LockEvent.objects.get()
    assert (event.kind, event.who, event.why) == (LockEventKind.REFUSED, "anna", "clearing refused: impatient")


def test_a_folder_that_cannot_be_trusted_is_told(actor: Client, stale: int) -> None:
    folder = Path(django_settings.GATE_LOCK_PATH).parent
    folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to(folder.with_name("elsewhere"))
    assert messages(clear(actor))[0].startswith("Not cleared: ")
    assert line() == f"{stale}\n"


@pytest.mark.parametrize("why", ["x" * 501, "nul\0"])
def test_a_reason_that_cannot_be_kept_clears_nothing(actor: Client, stale: int, why: str) -> None:
    answer = clear(actor, why)
    assert answer.status_code == 422
    assert elements(answer, "ul", class_="errorlist")
    assert line() == f"{stale}\n"


def test_the_longest_reason_is_kept_whole(actor: Client, stale: int) -> None:
    clear(actor, "x" * 500)
    assert LockEvent.objects.get().why == "x" * 500


# ── stopping ─────────────────────────────────────────────────────────────────────────────────────
def test_the_holder_is_stopped_and_the_person_told_that_nothing_is_left(actor: Client) -> None:
    with working_group(job_ref="gate run") as pid:
        answer = stop(actor, pid, job_ref="gate run", why="in the way")
        assert members(pid) == []
    assert messages(answer) == [f"Process group {pid} was ended by SIGTERM; no process of it is left."]
    event = LockEvent.objects.get(kind=LockEventKind.STOPPED)
    assert (event.who, event.pid) == ("anna", pid)
    assert event.why.startswith("in the way. Process group")


def test_one_that_does_not_obey_is_stopped_by_force(actor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.core.groups._TERM_SECONDS", 1.0)
    with working_group(STUBBORN) as pid:
        answer = stop(actor, pid)
        assert members(pid) == []
    assert "by force (SIGKILL)" in messages(answer)[0]


def test_the_question_names_the_holder_and_carries_what_was_seen(actor: Client) -> None:
    with working_group(job_ref="gate run") as pid:
        answer = actor.get("/lock/stop/")
        assert is_running(pid)
    assert f"Process group {pid} gets SIGTERM" in words(answer)
    assert element(answer, "input", name="pid")["value"] == str(pid)
    assert element(answer, "input", name="job_ref")["value"] == "gate run"
    assert element(answer, "button", class_="danger").words == "Stop it"


def test_the_question_says_that_the_job_is_cancelled_first(actor: Client) -> None:
    job = running(title="Board meeting")
    with working_group(job_ref=f"job {job.pk}"):
        answer = actor.get("/lock/stop/")
    job.refresh_from_db()
    assert not job.cancel_requested
    assert f"It works for job {job.pk}, “Board meeting”. That job is cancelled first" in words(answer)
    assert element(answer, "button", class_="danger").words == "Cancel the job and stop it"


def test_the_job_of_a_holder_is_cancelled_so_that_it_does_not_start_again(
    actor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("j5a_admin.holder._WORKER_SECONDS", 0.2)  # here is no worker that would end it
    job = running()
    with working_group(job_ref=f"job {job.pk}") as pid:
        answer = stop(actor, pid, job_ref=f"job {job.pk}")
        assert members(pid) == []
    job.refresh_from_db()
    assert (job.cancel_requested, job.reason) == (True, "cancelled by anna")
    assert messages(answer) == [f"Process group {pid} was ended by SIGTERM; no process of it is left."]


@pytest.mark.django_db(transaction=True)
def test_the_worker_may_end_its_engine_itself(actor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker does within a second of the wish to cancel: its engine does not count as lost by itself."""
    monkeypatch.setattr("j5a_admin.holder._WORKER_SECONDS", 30.0)  # the machine of the test may be busy
    job = running()
    with working_group(STUBBORN, job_ref=f"job {job.pk}") as pid:
        worker = threading.Thread(target=end_when_cancelled, args=(job, pid))
        worker.start()
        answer = stop(actor, pid, job_ref=f"job {job.pk}", why="in the way")
        worker.join()
    done = f"Job {job.pk} was cancelled and its worker ended process group {pid}; no process of it is left."
    assert messages(answer) == [done]
    event = LockEvent.objects.get(kind=LockEventKind.STOPPED)
    assert (event.who, event.pid, event.why) == ("anna", pid, f"in the way. {done}")


def end_when_cancelled(job: Job, pid: int) -> None:
    wished = Job.objects.filter(pk=job.pk, cancel_requested=True)
    until(wished.exists, seconds=10, what="the job is to be cancelled")
    for member in members(pid):
        subprocess.run(["kill", "-9", str(member)], check=False)
    connections.close_all()


def test_a_job_that_has_ended_meanwhile_is_not_touched(actor: Client) -> None:
    job = in_status(JobStatus.SUCCEEDED)
    with working_group(job_ref=f"job {job.pk}") as pid:
        stop(actor, pid, job_ref=f"job {job.pk}")
    job.refresh_from_db()
    assert (job.status, job.cancel_requested) == (JobStatus.SUCCEEDED, False)


def test_an_engine_that_goes_on_with_another_job_is_not_stopped_by_an_old_page(actor: Client) -> None:
    """It keeps its PID when the next job asks for the same model."""
    job = running()
    with working_group(job_ref=f"job {job.pk}") as pid:
        answer = stop(actor, pid, job_ref="job 4711")
        assert is_running(pid)
    job.refresh_from_db()
    assert not job.cancel_requested
    assert messages(answer) == [f"Not stopped: it works for job {job.pk} by now, not for job 4711."]
    assert LockEvent.objects.get(kind=LockEventKind.REFUSED).who == "anna"


def test_another_holder_than_the_one_on_the_page_is_not_stopped(actor: Client) -> None:
    job = running()
    with working_group(job_ref=f"job {job.pk}") as pid:
        answer = stop(actor, pid - 1, job_ref=f"job {job.pk}")
        assert is_running(pid)
    job.refresh_from_db()
    assert not job.cancel_requested
    assert messages(answer) == [f"Not stopped: PID {pid} holds it by now, not PID {pid - 1}."]


def test_an_older_script_is_not_stopped(actor: Client, settings: Settings) -> None:
    script = subprocess.Popen(["sleep", "300"], start_new_session=True)
    try:
        write_lock(settings, f"{script.pid}\n")
        assert elements(actor.get("/lock/stop/"), "button", class_="danger") == []
        answer = stop(actor, script.pid)
        assert script.poll() is None
    finally:
        script.kill()
        script.wait()
    assert messages(answer)[0].startswith("Not stopped: nobody holds it by the kernel lock")


def test_a_holder_that_may_not_be_stopped_keeps_its_job(actor: Client) -> None:
    job = running()
    with working_group(job_ref=f"job {job.pk}", own_group=False) as pid:
        answer = stop(actor, pid, job_ref=f"job {job.pk}")
        assert is_running(pid)
    job.refresh_from_db()
    assert not job.cancel_requested
    assert "does not lead a process group of its own" in messages(answer)[0]


@pytest.mark.parametrize("values", [{}, {"pid": ""}, {"pid": "x"}, {"pid": "-1"}, {"pid": "1", "job_ref": "\0"}])
def test_a_form_that_does_not_say_who_is_meant_stops_nobody(actor: Client, values: dict[str, str]) -> None:
    with working_group() as pid:
        answer = actor.post("/lock/stop/", values, follow=True)
        assert is_running(pid)
    assert answer.redirect_chain == [("/lock/stop/", 302)]
    assert messages(answer) == ["Nothing was stopped: the page did not say who was meant. Try again from here."]


def test_a_reason_that_is_too_long_stops_nobody_and_keeps_what_was_seen(actor: Client) -> None:
    with working_group() as pid:
        answer = stop(actor, pid, why="x" * 501)
        assert is_running(pid)
    assert answer.status_code == 422
    assert element(answer, "input", name="pid")["value"] == str(pid)


# ── who may ──────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("address", ["/lock/clear/", "/lock/stop/"])
def test_who_may_only_look_may_neither_ask_nor_act(stale: int, address: str) -> None:
    viewer = gate_client("viewer", *LOOK, "change_job", "delete_job")
    assert viewer.get(address).status_code == 403
    assert viewer.post(address, {"why": "", "pid": stale}).status_code == 403
    assert line() == f"{stale}\n"
    assert not LockEvent.objects.exists()


@pytest.mark.parametrize("address", ["/lock/clear/", "/lock/stop/"])
def test_an_act_without_a_token_is_refused(stale: int, address: str) -> None:
    answer = gate_client("ben", *ACT, strict=True).post(address, {"why": "", "pid": stale})
    assert answer.status_code == 403
    assert line() == f"{stale}\n"
    assert not LockEvent.objects.exists()


@pytest.mark.parametrize("address", ["/lock/", "/lock/live/"])
def test_the_pages_answer_to_no_post(actor: Client, address: str) -> None:
    assert actor.post(address).status_code == 405
