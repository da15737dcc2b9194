"""The incidents' pages: the list with its filters, and one incident with everything that is kept of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from gate.conf import log_dir
from gate.core.history import Measure, summaries
from gate.core.incidents.kinds import IncidentKind, kind_facts
from gate.core.incidents.lifecycle import IncidentStatus
from gate.core.incidents.postmortem import PostMortem, TimelineLine, markdown
from gate.core.policy import GatePolicy
from gate.core.units import bytes_text, celsius_text
from gate.incident_selectors import (
    incidents_around,
    incidents_listed,
    kind_counts,
    samples_around,
    status_counts,
    verdicts_around,
)
from gate.models import Incident, IncidentEvent, IncidentEventKind, IncidentEvidence, SensorSample, VerdictRecord
from gate.selectors import sample_point
from gate.services import policy_in_force
from j5a_admin.job_links import job_number, jobs_there
from j5a_admin.views.access import HANDLE_INCIDENT, RESOLVE_INCIDENT, VIEW_INCIDENT
from j5a_admin.views.history import RANGES, Curve, HistoryRange, curve_of
from transcribe.views.access import VIEW, may, staff_page

__all__ = ["incident_context", "incident_export", "incident_or_404", "incident_page", "incidents_page", "post_mortem"]

PAGE_SIZE = 25
COLUMN_SECONDS = 15  # as in the hour of the history


@dataclass(frozen=True, kw_only=True)
class Filter:
    """One choice of the list."""

    value: str
    label: str
    count: int


@require_safe
@staff_page(VIEW_INCIDENT)
def incidents_page(request: HttpRequest) -> HttpResponseBase:
    status = _known(request.GET.get("status", ""), IncidentStatus)
    kind = _known(request.GET.get("kind", ""), IncidentKind)
    page = Paginator(incidents_listed(status=status, kind=kind), PAGE_SIZE).get_page(request.GET.get("page"))
    by_status, by_kind = status_counts(), kind_counts()
    context = {
        "section": "incidents",
        "page": page,
        "status": status,
        "kind": kind,
        "statuses": [Filter(value=s.value, label=s.value, count=by_status.get(s.value, 0)) for s in IncidentStatus],
        "kinds": [
            Filter(value=k.value, label=kind_facts(k).title, count=by_kind.get(k.value, 0))
            for k in IncidentKind
            if by_kind.get(k.value) or k.value == kind
        ],
        "all_count": sum(by_status.values()),
        "may_handle": may(request, HANDLE_INCIDENT),
    }
    return render(request, "gate/incidents_page.html", context)


@require_safe
@staff_page(VIEW_INCIDENT)
def incident_page(request: HttpRequest, incident_id: int) -> HttpResponseBase:
    return render(request, "gate/incident_page.html", incident_context(request, incident_or_404(incident_id)))


@require_safe
@staff_page(VIEW_INCIDENT)
def incident_export(request: HttpRequest, incident_id: int) -> HttpResponseBase:
    """The post-mortem as a Markdown file."""
    incident = incident_or_404(incident_id)
    answer = HttpResponse(markdown(post_mortem(incident)), content_type="text/markdown; charset=utf-8")
    name = f"incident-{incident.pk}-{incident.kind.replace('_', '-')}.md"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def incident_or_404(incident_id: int) -> Incident:
    incident = Incident.objects.filter(pk=incident_id).first()
    if incident is None:
        raise Http404
    return incident


def incident_context(request: HttpRequest, incident: Incident) -> dict[str, object]:
    events = list(incident.events.all())
    samples, evidence = list(samples_around(incident)), list(incident.evidence.all())
    jobs = jobs_there([incident.job_ref]) if may(request, VIEW) else {}
    policy = policy_in_force()
    return {
        "section": "incidents",
        "incident": incident,
        "timeline": [event for event in events if event.kind != IncidentEventKind.NOTE],
        "notes": [event for event in events if event.kind == IncidentEventKind.NOTE],
        "measures": incident.measure_list,
        "others": incidents_around(incident),
        "curves": curves_around(incident, samples, policy),
        "policy": policy,
        "begins_at": samples[0].taken_at if samples else None,
        "ends_at": samples[-1].taken_at if samples else None,
        "verdicts": [(record, _asked_for(record) if record.job_ref else "") for record in verdicts_around(incident)],
        "evidence": evidence,
        "kept_logs": {piece.file_name for piece in evidence if (log_dir() / Path(piece.file_name).name).is_file()},
        "job_id": jobs.get(incident.job_ref),
        "may_acknowledge": may(request, HANDLE_INCIDENT) and incident.status == IncidentStatus.OPEN,
        "may_note": may(request, HANDLE_INCIDENT),
        "may_resolve": may(request, RESOLVE_INCIDENT) and not incident.is_resolved,
        "may_reopen": may(request, RESOLVE_INCIDENT) and incident.is_resolved,
    }


def curves_around(incident: Incident, samples: Sequence[SensorSample], policy: GatePolicy) -> list[Curve]:
    """One for each measure that was read. Where nothing was read, as while the machine was down, is a gap."""
    if not samples:
        return []
    ends_at = samples[-1].taken_at.timestamp()
    seconds = max(COLUMN_SECONDS, math.ceil(ends_at - samples[0].taken_at.timestamp()))
    shown = HistoryRange(
        name="incident",
        label="Around it",
        seconds=seconds,
        width_seconds=None,
        column_seconds=COLUMN_SECONDS,
        gap_seconds=RANGES[0].gap_seconds,
    )
    columns = summaries(map(sample_point, samples), COLUMN_SECONDS)
    moments = sorted({incident.first_at.timestamp(), incident.last_at.timestamp()})
    curves = (curve_of(measure, columns, shown, ends_at, policy, moments) for measure in Measure)
    return [curve for curve in curves if curve is not None]


def post_mortem(incident: Incident) -> PostMortem:
    """In words, with times in the panel's zone."""
    events = list(incident.events.all())
    return PostMortem(
        number=incident.pk,
        title=f"{incident.title}: {incident.subject}",
        host=incident.host,
        status=_status_text(incident),
        summary=incident.summary,
        first_text=_moment(incident.first_at),
        last_text=_moment(incident.last_at),
        count=incident.count,
        job_ref=incident.job_ref,
        timeline=tuple(_line(event) for event in events if event.kind != IncidentEventKind.NOTE),
        measures=incident.measure_list,
        readings=tuple(_readings(list(samples_around(incident)))),
        verdicts=tuple(_verdict(record) for record in verdicts_around(incident)),
        causes=tuple(incident.causes) or (incident.facts.cause,),
        others=tuple(
            f"Incident {one.pk}, {_moment(one.first_at)}: {one}. {one.summary}" for one in incidents_around(incident)
        ),
        evidence=tuple((_evidence_title(piece), piece.text or "It is empty.") for piece in incident.evidence.all()),
        recovery="\n\n".join(incident.recovery.splitlines()),
        advice=f"{'It is resolved. When it happens again: ' if incident.is_resolved else ''}{incident.facts.advice}",
        notes=tuple(_line(event, title="Note") for event in events if event.kind == IncidentEventKind.NOTE),
    )


def _evidence_title(piece: IncidentEvidence) -> str:
    return f"{piece.title} ({piece.file_name})" if piece.file_name else piece.title


def _status_text(incident: Incident) -> str:
    if not incident.is_resolved or incident.resolved_at is None:
        by = f" by {incident.acknowledged_by}" if incident.acknowledged_by else ""
        return f"{incident.status}{by}"
    by = f"by {incident.resolved_by}" if incident.resolved_by else "by itself"
    return f"resolved {by}, {_moment(incident.resolved_at)}"


def _line(event: IncidentEvent, title: str = "") -> TimelineLine:
    more = f" ({event.repeats} more times until {_moment(event.last_at)})" if event.repeats and event.last_at else ""
    return TimelineLine(
        at_text=_moment(event.at),
        title=title or event.get_kind_display().capitalize(),
        who=event.who,
        text=f"{event.text}{more}",
    )


def _readings(samples: list[SensorSample]) -> Iterable[str]:
    """How many there are, and the least and the most of each."""
    if not samples:
        return
    yield f"{len(samples)} samples from {_moment(samples[0].taken_at)} to {_moment(samples[-1].taken_at)}."
    celsius = [s.celsius for s in samples if s.celsius is not None]
    if celsius:
        yield f"Temperature: {celsius_text(min(celsius))} to {celsius_text(max(celsius))}."
    available = [s.available_bytes for s in samples if s.available_bytes is not None]
    if available:
        yield f"Available memory: {bytes_text(min(available))} to {bytes_text(max(available))}."
    swap = [s.swap_used_bytes for s in samples if s.swap_used_bytes is not None]
    if swap:
        yield f"Swap used: {bytes_text(min(swap))} to {bytes_text(max(swap))}."


def _verdict(record: VerdictRecord) -> str:
    times = f", {record.repeats + 1} times until {_moment(record.last_at)}" if record.repeats else ""
    return f"{_moment(record.taken_at)}, {record.model} for {_asked_for(record)}{times}: {record.reason}"


def _asked_for(record: VerdictRecord) -> str:
    number = job_number(record.job_ref)
    return f"job {number}" if number is not None else record.job_ref or record.purpose


def _moment(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S %Z}"


def _known(value: str, names: type[IncidentStatus] | type[IncidentKind]) -> str:
    """What is asked for, or everything where it is nothing that exists."""
    return value if value in {name.value for name in names} else ""
