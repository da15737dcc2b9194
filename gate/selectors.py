"""What is shown of the gate's history, newest first unless said otherwise; only of this host."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from gate.conf import host_id
from gate.models import LockEvent, PolicyChange, SensorChoice, SensorSample, VerdictRecord

__all__ = [
    "lock_events_recent",
    "policy_changes_recent",
    "samples_recent",
    "sensor_choices",
    "verdict_latest",
    "verdicts_recent",
]


def samples_recent(minutes: float) -> QuerySet[SensorSample]:
    """Oldest first, as a chart draws them."""
    since = timezone.now() - timedelta(minutes=minutes)
    return SensorSample.objects.filter(host=host_id(), taken_at__gte=since).order_by("taken_at")


def verdicts_recent(count: int) -> QuerySet[VerdictRecord]:
    return VerdictRecord.objects.filter(host=host_id()).order_by("-last_at", "-pk")[:count]


def verdict_latest() -> VerdictRecord | None:
    return verdicts_recent(1).first()


def lock_events_recent(count: int) -> QuerySet[LockEvent]:
    return LockEvent.objects.filter(host=host_id()).order_by("-pk")[:count]


def policy_changes_recent(count: int, *names: str) -> QuerySet[PolicyChange]:
    """Of all limits, or of those named."""
    changes = PolicyChange.objects.filter(host=host_id())
    return (changes.filter(name__in=names) if names else changes).order_by("-pk")[:count]


def sensor_choices() -> dict[str, SensorChoice]:
    """What administrators chose in the panel, by sensor."""
    return {choice.sensor: choice for choice in SensorChoice.objects.filter(host=host_id())}
