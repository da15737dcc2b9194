"""Naming a survivor is told in the lock's history, whoever did it: the sampler's step or somebody who was refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import DatabaseError
from pytest_django import Settings

from gate.conf import heavy_lock
from gate.core.errors import LockHeld
from gate.models import LockEvent, SensorSample
from gate.sampler import Sampler
from gate.services import gate_preview, lock_acquire
from tests.support.builders import LARGE
from tests.system.gate.test_lock_processes import Holder, kill_quietly
from tests.system.gate.test_survivor import line, say_old_script, until_exec

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("machine")]

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def orphan(settings: Settings) -> Iterator[tuple[int, int]]:
    """The PIDs of a killed holder and of its child, which has the lock."""
    holder = Holder(Path(settings.GATE_LOCK_PATH))
    try:
        assert holder.hear() == "held"
        child = holder.start_child()
        until_exec(child)
        holder.kill()
        yield holder.pid, child
    finally:
        holder.stop()


def test_the_samplers_step_names_it_and_an_older_script_keeps_out(orphan: tuple[int, int]) -> None:
    holder, child = orphan
    Sampler().tick(NOON)
    assert say_old_script(heavy_lock()) == "refused\n"
    event = LockEvent.objects.get()
    assert (event.kind, event.pid, event.who) == ("named_over", child, "sampler")
    assert event.why == f"PID {holder} is gone, and PID {child}, which inherited the lock, is named in its place"
    assert event.evidence["before_pid"] == holder
    assert f"PID {holder}: gone" in event.evidence["proof"]


def test_the_sampler_says_it_once(orphan: tuple[int, int]) -> None:
    sampler = Sampler()
    for second in range(0, 20, 5):
        sampler.tick(NOON + second)
    assert LockEvent.objects.count() == 1
    assert line(heavy_lock()) == f"{orphan[1]}\n"


def test_a_refused_start_names_it(orphan: tuple[int, int]) -> None:
    with pytest.raises(LockHeld):
        lock_acquire(model="base", job_ref="job 7")
    named, refused = LockEvent.objects.order_by("pk")
    assert (named.kind, named.pid, named.who) == ("named_over", orphan[1], "job 7")
    assert (refused.kind, refused.pid) == ("refused", orphan[1])


def test_asking_the_gate_names_nobody(orphan: tuple[int, int]) -> None:
    assert not gate_preview(LARGE).admitted
    assert line(heavy_lock()) == f"{orphan[0]}\n"
    assert not LockEvent.objects.exists()


def test_a_database_that_does_not_answer_does_not_keep_it_unnamed(
    orphan: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise DatabaseError("full")

    monkeypatch.setattr(LockEvent.objects, "create", refuse)
    monkeypatch.setattr("gate.sampler.connections.close_all", lambda: None)  # the test's own transaction
    sampler = Sampler()
    sampler.tick(NOON)
    assert line(heavy_lock()) == f"{orphan[1]}\n"
    sampler.tick(NOON + 5)
    assert SensorSample.objects.count() == 1


def test_a_lock_that_cannot_be_looked_after_does_not_stop_the_samples(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    place = Path(settings.GATE_LOCK_PATH)
    place.parent.mkdir(mode=0o777)
    place.parent.chmod(0o777)  # everybody may write there: refused
    sampler = Sampler()
    for second in (0, 5, 10):
        sampler.tick(NOON + second)
    assert SensorSample.objects.count() == 3
    assert [record.message for record in caplog.records if "looked after" in record.message] == [
        f"the lock's files cannot be looked after ({place}: everybody may write in {place.parent}: chmod o-w it); "
        "trying again"
    ]


def test_a_script_of_the_shell_face_that_is_killed_leaves_its_command_named(settings: Settings, tmp_path: Path) -> None:
    """The case it was found by: `kill -9` of a script whose Whisper goes on."""
    face = Path(__file__).resolve().parents[3] / "ops" / "resource_safety_gate.sh"
    script = subprocess.Popen(
        ["bash", "-c", f"source {face}; acquire_whisper_lock tiny >&2 || exit 1; sleep 300 & echo $!; wait"],
        env={
            "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "J5A_PYTHON": sys.executable, "J5A_MARGIN_GIB": "0.5",
            "J5A_DATA_DIR": str(tmp_path / "var"), "J5A_LOCK_DIR": str(Path(settings.GATE_LOCK_PATH).parent),
        },
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    child = 0
    try:
        assert script.stdout is not None
        assert script.stderr is not None
        said = script.stdout.readline()
        assert said.strip().isdigit(), script.stderr.read()
        child = int(said)
        until_exec(child)
        script.kill()
        script.wait(timeout=60)
        Sampler().tick(NOON)
        assert line(heavy_lock()) == f"{child}\n"
        assert say_old_script(heavy_lock()) == "refused\n"
    finally:
        script.kill()
        if child:
            kill_quietly(child)
        script.communicate(timeout=60)
