"""What models really took here: the peaks of past runs. They may raise what the gate asks for, never lower it."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import OperationalError

from gate.core.requirement import Requirement
from transcribe.models import Attempt

__all__ = ["LearnedPeak", "learned_peak", "with_learned"]

REMEMBERED_RUNS = 50


@dataclass(frozen=True, kw_only=True)
class LearnedPeak:
    """The largest resident size that an engine reached with one model, in the last `runs` runs on this host."""

    bytes: int
    runs: int


def learned_peak(model: str) -> LearnedPeak | None:
    """None while no run of the model was measured on this host."""
    measured = Attempt.objects.filter(host=settings.HOST_ID, job__model=model, peak_bytes__gt=0)
    peaks = list(measured.order_by("-pk").values_list("peak_bytes", flat=True)[:REMEMBERED_RUNS])
    return LearnedPeak(bytes=max(peak or 0 for peak in peaks), runs=len(peaks)) if peaks else None


def with_learned(requirement: Requirement, model: str) -> Requirement:
    """The requirement beside what was measured here, and raised to it where that is more."""
    try:
        learned = learned_peak(model)
    except OperationalError:  # no database yet: then nothing was measured either
        return requirement
    return requirement if learned is None else requirement.beside_measured(learned.bytes, learned.runs)
