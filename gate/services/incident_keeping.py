"""What incidents point to and retention must leave alone: samples around them, and logs that are their evidence.

Registered with `gate.services.protection` when the app starts (gate/apps.py).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from gate.conf import host_id, log_dir
from gate.core.incidents.lifecycle import kept_spans, merged
from gate.models import Incident, IncidentEvidence
from gate.services.protection import TimeSpan

__all__ = ["incident_paths", "incident_spans"]


def incident_spans() -> tuple[TimeSpan, ...]:
    """Times of this host, in order and without overlap."""
    times = Incident.objects.filter(host=host_id()).values_list("first_at", "last_at")
    spans = merged(span for first, last in times for span in kept_spans(first.timestamp(), last.timestamp()))
    return tuple(TimeSpan(datetime.fromtimestamp(s.start, UTC), datetime.fromtimestamp(s.end, UTC)) for s in spans)


def incident_paths() -> frozenset[Path]:
    """Log files that are the evidence of an incident, also those that are gone already.

    Whatever its host: the log directory is this machine's, which may have had another name then.
    """
    pieces = IncidentEvidence.objects.exclude(file_name="")
    return frozenset(log_dir() / Path(name).name for name in pieces.values_list("file_name", flat=True).distinct())
