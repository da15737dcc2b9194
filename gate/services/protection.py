"""What incidents point to and retention must leave alone: samples around them, and logs that are their evidence."""

from __future__ import annotations

from pathlib import Path

from gate.conf import host_id, log_dir
from gate.core.incidents.lifecycle import Span, kept_spans, merged
from gate.models import Incident, IncidentEvidence

__all__ = ["protected_paths", "protected_spans"]


def protected_spans() -> tuple[Span, ...]:
    """Times of this host, in unix seconds, in order and without overlap, whose samples and verdicts are kept."""
    times = Incident.objects.filter(host=host_id()).values_list("first_at", "last_at")
    return merged(span for first, last in times for span in kept_spans(first.timestamp(), last.timestamp()))


def protected_paths() -> frozenset[Path]:
    """Log files that are the evidence of an incident of this host, also those that are gone already."""
    pieces = IncidentEvidence.objects.filter(incident__host=host_id()).exclude(file_name="")
    return frozenset(log_dir() / Path(name).name for name in pieces.values_list("file_name", flat=True).distinct())
