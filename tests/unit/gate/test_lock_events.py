from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from django.db import DatabaseError
from pytest_django import Settings

from gate.core.errors import LockHeld
from gate.core.readings import LockState
from gate.models import LockEvent
from gate.services import lock_acquire, lock_clear_stale, lock_release, lock_status

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("machine")]


def kinds() -> list[str]:
    return list(LockEvent.objects.order_by("pk").values_list("kind", flat=True))


def write_lock(settings: Settings, line: str) -> None:
    path = Path(settings.GATE_LOCK_PATH)
    path.parent.mkdir(mode=0o700)
    path.write_text(line)


def gone_pid() -> int:
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


def test_it_records_acquire_and_release() -> None:
    assert lock_release(lock_acquire(model="base", job_ref="7"))
    assert kinds() == ["acquired", "released"]
    event = LockEvent.objects.order_by("pk").first()
    assert event is not None
    assert (event.pid, event.who, event.why, event.host) == (os.getpid(), "7", "base", "mini")


def test_it_records_a_refusal_once_for_each_holder() -> None:
    held = lock_acquire(model="base", job_ref="7")
    for job_ref in ("8", "8", "9"):
        with pytest.raises(LockHeld):
            lock_acquire(model="base", job_ref=job_ref)
    lock_release(held)
    assert kinds() == ["acquired", "refused", "refused", "released"]


def test_it_records_a_stale_lock_that_was_found(settings: Settings) -> None:
    write_lock(settings, f"{gone_pid()}\n")
    lock_release(lock_acquire(model="base"))
    assert kinds() == ["stale_found", "acquired", "released"]
    event = LockEvent.objects.get(kind="stale_found")
    assert any("no such process" in line for line in event.evidence["proof"])


def test_it_records_who_cleared_a_stale_lock_and_why(settings: Settings) -> None:
    write_lock(settings, f"{gone_pid()}\n")
    lock_clear_stale("anna", "power cut")
    event = LockEvent.objects.get()
    assert (event.kind, event.who, event.why) == ("cleared", "anna", "power cut")
    assert event.evidence["state"] == "stale"
    assert lock_status().state is LockState.FREE


def test_it_records_that_clearing_a_live_lock_was_refused(settings: Settings) -> None:
    write_lock(settings, "1\n")
    with pytest.raises(LockHeld):
        lock_clear_stale("anna", "impatient")
    assert LockEvent.objects.get().why == "clearing refused: impatient"
    assert Path(settings.GATE_LOCK_PATH).read_text() == "1\n"


def test_a_hold_that_could_not_be_recorded_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise DatabaseError("full")

    monkeypatch.setattr(LockEvent.objects, "create", refuse)
    with pytest.raises(DatabaseError):
        lock_acquire(model="base")
    assert lock_status().state is LockState.FREE
