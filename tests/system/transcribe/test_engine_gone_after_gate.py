"""An engine that ended after the gate was asked is not replaced without asking the gate again."""

from __future__ import annotations

import os
import signal

import pytest

from tests.support.jobs import make_job
from tests.support.panel import until
from transcribe.errors import EngineLost, MachineEnded
from transcribe.models import Job
from transcribe.resolve import ResolvedModel, model_fetch
from transcribe.services.claims import job_claim
from transcribe.slot import EngineSlot

pytestmark = pytest.mark.django_db(transaction=True)


def claimed() -> Job:
    make_job()
    job = job_claim()
    assert job is not None
    return job


def demo() -> ResolvedModel:
    return model_fetch("demo", on_progress=lambda *_: None, should_stop=lambda: False)


@pytest.mark.parametrize("by_the_watch", [True, False])
def test_no_engine_is_started_in_its_place(slot: EngineSlot, by_the_watch: bool) -> None:
    job, model = claimed(), demo()
    slot.admit(job, model)
    engine = slot.engine(job, model, watch=lambda: None)
    slot.admit(job, model)
    if by_the_watch:
        engine.end_for_machine("Ended for heat: 91.0 °C.")
    else:
        os.kill(engine.pid, signal.SIGKILL)
    until(lambda: not engine.is_alive(), seconds=60, what="the engine has ended")
    with pytest.raises(MachineEnded if by_the_watch else EngineLost):
        slot.engine(job, model, watch=lambda: None)
    slot.admit(job, model)
    assert slot._engine is None, "the next look of the gate finds it tidied up"
