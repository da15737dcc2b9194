"""Whatever process of the queue is killed or stands still: it works again, and jobs end."""

from __future__ import annotations

import ctypes
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.support.panel import Panel, until
from tests.support.queue_processes import QUEUE_ROLES, queue_processes
from tests.support.speech_files import SPEECH_DIR, joined

PTRACE_ATTACH = 16  # linux/ptrace.h


def role(panel: Panel, name: str) -> psutil.Process:
    found = until(lambda: queue_processes(panel).get(name), seconds=60, what="the cluster is complete")
    assert isinstance(found, psutil.Process)
    return found


@pytest.mark.parametrize("name", QUEUE_ROLES)
def test_a_sudden_death_is_answered_with_a_new_cluster(own_panel: Panel, name: str) -> None:
    """One that was killed may have held a lock of the queues, which would never be let go."""
    panel = own_panel
    before = role(panel, "sentinel")
    role(panel, name).kill()
    until(lambda: not before.is_running(), seconds=60, what="the cluster ends")
    panel.wait_for_job(panel.submit(SPEECH_DIR / "clip_01.flac"), "succeeded", seconds=120)


def test_one_that_takes_no_wake_up_is_started_anew(own_panel: Panel) -> None:
    """It lives, and nothing comes of it: as where a lock was left taken."""
    panel = own_panel
    before = role(panel, "sentinel")
    with held_by_a_debugger(role(panel, "pusher").pid):
        panel.wait_for_job(panel.submit(SPEECH_DIR / "clip_00.flac"), "succeeded", seconds=180)
    assert not before.is_running()
    assert "the queue stands still" in panel.log()


@contextmanager
def held_by_a_debugger(pid: int) -> Iterator[None]:
    """It stands still, and the kernel does not call it stopped. It must be killed before this ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.ptrace(PTRACE_ATTACH, pid, None, None) == 0, os.strerror(ctypes.get_errno())
    try:
        yield
    finally:
        while os.WIFSTOPPED(os.waitpid(pid, 0)[1]):
            pass  # whoever traces a process has to bury it


def test_a_stopped_worker_is_started_anew_and_its_engine_with_it(own_panel: Panel, tmp_path: Path) -> None:
    """Who is stopped watches no engine: it would go on at 95 °C."""
    panel = own_panel
    job_id = panel.submit(joined(tmp_path / "long.wav", minutes=3).path, language="en")
    until(lambda: panel.job(job_id)["activity"] == "Reading speech", seconds=60, what="it reads")
    worker, (engine,) = role(panel, "worker"), panel.engines()
    worker.send_signal(signal.SIGSTOP)
    until(lambda: not worker.is_running() and not engine.is_running(), seconds=40, what="both are gone")
    assert "a process of the queue was stopped" in panel.log()
    panel.wait_for_job(job_id, "succeeded", seconds=300)
    lost = "SELECT id, causes FROM gate_incident WHERE kind = 'worker_lost' AND job_ref = ?"
    (incident,) = panel.rows(lost, f"job {job_id}")
    why = "A process of the queue was stopped and stood still for 10 s, so the queue was started anew."
    assert json.loads(incident["causes"]) == [why]
    ends = "SELECT text FROM gate_incidentevidence WHERE title LIKE 'End of%' AND incident_id = ?"
    (said,) = panel.rows(ends, incident["id"])
    assert "was loaded in" in said["text"]
