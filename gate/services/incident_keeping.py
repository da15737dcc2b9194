"""What incidents point to and retention must leave alone: samples around them, and logs that are their evidence.

Registered with `gate.services.protection` when the app starts (gate/apps.py).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from gate.conf import log_dir
from gate.core.incidents.lifecycle import kept_spans
from gate.models import Incident, IncidentEvent, IncidentEventKind, IncidentEvidence
from gate.services.protection import TimeSpan

__all__ = ["incident_paths", "incident_spans"]


def incident_spans() -> tuple[TimeSpan, ...]:
    """The time around every occurrence that a timeline tells, in order and without overlap.

    Whatever the incident's host: this machine may have had another name then.
    """
    told = IncidentEvent.objects.filter(kind__in=(IncidentEventKind.OPENED, IncidentEventKind.JOINED))
    times = (*Incident.objects.values_list("first_at", "last_at"), *told.values_list("at", "last_at"))
    spans = kept_spans(at.timestamp() for pair in times for at in pair if at is not None)
    return tuple(TimeSpan(datetime.fromtimestamp(s.start, UTC), datetime.fromtimestamp(s.end, UTC)) for s in spans)


def incident_paths() -> frozenset[Path]:
    """Log files that are the evidence of an incident, also those that are gone already.

    Whatever its host, as above: the log directory is this machine's.
    """
    pieces = IncidentEvidence.objects.exclude(file_name="")
    return frozenset(log_dir() / Path(name).name for name in pieces.values_list("file_name", flat=True).distinct())
