"""What is shown of the gate's history, newest first unless said otherwise; only of this host."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F, FloatField, Max, Min, Q, QuerySet, Sum
from django.utils import timezone

from gate.conf import host_id
from gate.core.history import Measure, Point, Spread, Summary, summaries
from gate.models import Incident, LockEvent, PolicyChange, SampleSummary, SensorChoice, SensorSample, VerdictRecord

__all__ = [
    "history_of_samples",
    "history_of_summaries",
    "incidents_between",
    "lock_events_recent",
    "policy_changes_recent",
    "sample_point",
    "samples_recent",
    "sensor_choices",
    "verdict_latest",
    "verdicts_recent",
]


def samples_recent(minutes: float) -> QuerySet[SensorSample]:
    """Oldest first, as a chart draws them."""
    since = timezone.now() - timedelta(minutes=minutes)
    return SensorSample.objects.filter(host=host_id(), taken_at__gte=since).order_by("taken_at")


def history_of_samples(begins_at: float, ends_at: float, *, column_seconds: int) -> list[Summary]:
    """The samples of a short stretch (unix seconds) in columns, oldest first."""
    between = (datetime.fromtimestamp(begins_at, UTC), datetime.fromtimestamp(ends_at, UTC))
    rows = SensorSample.objects.filter(host=host_id(), taken_at__range=between)
    return summaries(map(sample_point, rows), column_seconds)


def sample_point(sample: SensorSample) -> Point:
    """What could be read of it."""
    read = {name: getattr(sample, name) for name in Measure}
    return Point(
        at_seconds=sample.taken_at.timestamp(),
        values={name: value for name, value in read.items() if value is not None},
    )


def history_of_summaries(begins_at: float, ends_at: float, *, width_seconds: int, column_seconds: int) -> list[Summary]:
    """The summaries of one width, gathered into wider columns by the database, oldest first."""
    rows = (
        SampleSummary.objects.filter(
            host=host_id(),
            width_seconds=width_seconds,
            begins_at_seconds__gt=begins_at - width_seconds,
            begins_at_seconds__lte=ends_at,
        )
        .values(column=F("begins_at_seconds") / column_seconds)
        .annotate(samples=Sum("sample_count"), **_gathered())
        .order_by("column")
    )
    return [_column({**row}, column_seconds) for row in rows]


def _gathered() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in Measure:
        weighted = Sum(F(f"{name}_mean") * F(f"{name}_count"), output_field=FloatField())
        found |= {f"{name}_low": Min(f"{name}_least"), f"{name}_high": Max(f"{name}_most"), f"{name}_sum": weighted}
        found[f"{name}_number"] = Sum(f"{name}_count")
    return found


def _column(row: dict[str, Any], column_seconds: int) -> Summary:
    spreads = {
        name: Spread(
            least=row[f"{name}_low"],
            mean=row[f"{name}_sum"] / row[f"{name}_number"],
            most=row[f"{name}_high"],
            count=row[f"{name}_number"],
        )
        for name in Measure
        if row[f"{name}_number"]
    }
    begins_at_seconds = row["column"] * column_seconds
    return Summary(
        width_seconds=column_seconds,
        begins_at_seconds=begins_at_seconds,
        sample_count=row["samples"],
        spreads=spreads,
    )


def verdicts_recent(count: int) -> QuerySet[VerdictRecord]:
    return VerdictRecord.objects.filter(host=host_id()).order_by("-last_at", "-pk")[:count]


def verdict_latest() -> VerdictRecord | None:
    return verdicts_recent(1).first()


def lock_events_recent(count: int) -> QuerySet[LockEvent]:
    return LockEvent.objects.filter(host=host_id()).order_by("-pk")[:count]


def incidents_between(start: datetime, end: datetime) -> list[Incident]:
    """Those that happened, or happened again, in that time; oldest first. One that lasts counts at both its ends."""
    began = Q(first_at__gte=start, first_at__lte=end)
    found = Incident.objects.filter(began | Q(last_at__gte=start, last_at__lte=end), host=host_id())
    return list(found.order_by("first_at", "pk"))


def policy_changes_recent(count: int, *names: str) -> QuerySet[PolicyChange]:
    """Of all limits, or of those named."""
    changes = PolicyChange.objects.filter(host=host_id())
    return (changes.filter(name__in=names) if names else changes).order_by("-pk")[:count]


def sensor_choices() -> dict[str, SensorChoice]:
    """What administrators chose in the panel, by sensor."""
    return {choice.sensor: choice for choice in SensorChoice.objects.filter(host=host_id())}
