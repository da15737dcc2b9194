"""Incidents as pages show them: of every host, open ones first; and what is kept of the time around one."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Case, Count, IntegerField, QuerySet, Value, When

from gate.core.incidents.lifecycle import AROUND_SECONDS, IncidentStatus
from gate.models import Incident, SensorSample, VerdictRecord

__all__ = [
    "incident_window",
    "incidents_around",
    "incidents_listed",
    "incidents_open_count",
    "kind_counts",
    "samples_around",
    "status_counts",
    "verdicts_around",
]

# An incident may last for days; its chart and its verdicts are those of its beginning.
_SHOWN_AT_MOST = timedelta(hours=2)


def incidents_listed(*, status: str = "", kind: str = "") -> QuerySet[Incident]:
    """Open ones first, then acknowledged, then resolved; within each the latest first."""
    order = Case(
        *(When(status=name.value, then=Value(place)) for place, name in enumerate(IncidentStatus)),
        output_field=IntegerField(),
    )
    found = Incident.objects.all()
    if status:
        found = found.filter(status=status)
    if kind:
        found = found.filter(kind=kind)
    return found.order_by(order, "-last_at", "-pk")


def incidents_open_count() -> int:
    """Those that nobody has acknowledged or resolved yet."""
    return Incident.objects.filter(status=IncidentStatus.OPEN.value).count()


def status_counts() -> dict[str, int]:
    return _counts("status")


def kind_counts() -> dict[str, int]:
    return _counts("kind")


def _counts(field: str) -> dict[str, int]:
    rows = Incident.objects.order_by().values_list(field).annotate(count=Count("pk"))
    return {str(name): count for name, count in rows}


def incident_window(incident: Incident) -> tuple[datetime, datetime]:
    around = timedelta(seconds=AROUND_SECONDS)
    start = incident.first_at - around
    return start, min(incident.last_at + around, start + _SHOWN_AT_MOST)


def incidents_around(incident: Incident, count: int = 10) -> list[Incident]:
    """Others of its host whose first to last occurrence meets its window, in the order they began."""
    start, end = incident_window(incident)
    near = Incident.objects.filter(host=incident.host, first_at__lte=end, last_at__gte=start)
    return list(near.exclude(pk=incident.pk).order_by("first_at", "pk")[:count])


def samples_around(incident: Incident) -> QuerySet[SensorSample]:
    """Oldest first, of the incident's own host."""
    window = incident_window(incident)
    return SensorSample.objects.filter(host=incident.host, taken_at__range=window).order_by("taken_at")


def verdicts_around(incident: Incident, count: int = 20) -> list[VerdictRecord]:
    """The nearest to its beginning, half of them before it; oldest first. Repeated ones reach over a time."""
    start, end = incident_window(incident)
    near = VerdictRecord.objects.filter(host=incident.host, taken_at__lte=end, last_at__gte=start)
    before = near.filter(taken_at__lte=incident.first_at).order_by("-taken_at", "-pk")[: count // 2]
    after = near.filter(taken_at__gt=incident.first_at).order_by("taken_at", "pk")[: count // 2]
    return [*reversed(before), *after]
