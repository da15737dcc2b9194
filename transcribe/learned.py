"""What models really took here: memory and time. Peaks may raise what the gate asks for, never lower it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import OperationalError
from django.db.models import F, Window
from django.db.models.functions import RowNumber

from gate.core.requirement import Requirement
from transcribe.models import Attempt

__all__ = ["LearnedPeak", "learned_peak", "learned_peaks", "slowest_window", "with_learned"]

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


def learned_peaks() -> dict[str, LearnedPeak]:
    """`learned_peak` of every model that was measured, in one query."""
    place = Window(RowNumber(), partition_by=F("job__model"), order_by="-pk")
    measured = Attempt.objects.filter(host=settings.HOST_ID, peak_bytes__gt=0).annotate(place=place)
    peaks: dict[str, list[int]] = {}
    for model, peak in measured.filter(place__lte=REMEMBERED_RUNS).values_list("job__model", "peak_bytes"):
        peaks.setdefault(model, []).append(peak or 0)
    return {model: LearnedPeak(bytes=max(found), runs=len(found)) for model, found in peaks.items()}


def slowest_window(model: str) -> float | None:
    """The longest that one window took in the last runs of the model on this host; None: none was measured."""
    measured = Attempt.objects.filter(host=settings.HOST_ID, job__model=model, slowest_window_seconds__gt=0)
    last = measured.order_by("-pk").values_list("slowest_window_seconds", flat=True)[:REMEMBERED_RUNS]
    return max((seconds for seconds in last if seconds is not None), default=None)


def with_learned(requirement: Requirement, model: str, peaks: Mapping[str, LearnedPeak] | None = None) -> Requirement:
    """The requirement beside what was measured here (`peaks`, where the caller has read them), raised to it."""
    try:
        learned = learned_peak(model) if peaks is None else peaks.get(model)
    except OperationalError:  # no database yet: then nothing was measured either
        return requirement
    return requirement if learned is None else requirement.beside_measured(learned.bytes, learned.runs)
