"""Open an incident or join the one that is open for the same cause; what people do with it; its end by itself.

A status changes only by conditional update. Whatever happens how often: one open row for each cause, and a timeline
and evidence of bounded size.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from gate.conf import host_id
from gate.core.incidents.joining import added_lines, joined_texts, with_words_of, worst_of
from gate.core.incidents.kinds import IncidentKind
from gate.core.incidents.lifecycle import JOINS_KEPT, IncidentStatus, can_move
from gate.core.incidents.occurrence import Evidence, Occurrence
from gate.models import Incident, IncidentEvent, IncidentEventKind, IncidentEvidence

__all__ = [
    "evidence_add",
    "incident_acknowledge",
    "incident_open_or_join",
    "incident_recovered",
    "incident_reopen",
    "incident_resolve",
    "incidents_settle",
    "note_add",
]

EVIDENCE_KEPT = 12
# A cause that comes and goes (a machine at the edge of its heat) is one incident, not one for each time.
QUIET = timedelta(hours=1)
_TRIES = 3  # another process may open or resolve it between our look and our write


def incident_open_or_join(occurrence: Occurrence, *, opened_by: str = "", host: str = "") -> Incident:
    """The incident of this cause, with the occurrence in it. Raises DatabaseError when it cannot be written."""
    host = host or host_id()
    for _ in range(_TRIES):
        try:
            with transaction.atomic():
                found = _of_this_cause(occurrence, host)
                if found is None:
                    return _open(occurrence, host, opened_by)
                if _join(found, occurrence, opened_by):
                    return found
        except IntegrityError:  # somebody else has just opened it: join that one
            continue
    raise IntegrityError(f"{occurrence.kind} of {occurrence.subject} was opened and resolved at once, {_TRIES} times")


def _of_this_cause(occurrence: Occurrence, host: str) -> Incident | None:
    """The open one, or one that the system itself has just resolved."""
    same = Incident.objects.filter(host=host, kind=occurrence.kind.value, subject=_subject(occurrence))
    is_open = same.exclude(status=IncidentStatus.RESOLVED).first()
    if is_open is not None:
        return is_open
    since = _moment(occurrence) - QUIET
    return same.filter(resolved_by="", resolved_at__gte=since).order_by("-resolved_at").first()


def _open(occurrence: Occurrence, host: str, opened_by: str) -> Incident:
    at = _moment(occurrence)
    incident = Incident.objects.create(
        host=host,
        kind=occurrence.kind.value,
        subject=_subject(occurrence),
        summary=occurrence.summary,
        first_at=at,
        last_at=at,
        job_ref=occurrence.job_ref[:255],
        measures=[measure.to_json_dict() for measure in occurrence.measures],
        causes=list(occurrence.causes),
        recovery=occurrence.recovery,
        opened_by=opened_by,
        **(_settled(at) if occurrence.settled else {}),
    )
    event_write(incident, IncidentEventKind.OPENED, occurrence.summary, who=opened_by, at=at)
    _evidence_write(incident, occurrence.evidence, at)
    return incident


def _join(incident: Incident, occurrence: Occurrence, who: str) -> bool:
    at = _moment(occurrence)
    changes: dict[str, Any] = {
        "summary": occurrence.summary if at >= incident.last_at else incident.summary,  # the first stays in its event
        "count": F("count") + 1,
        "first_at": min(incident.first_at, at),
        "last_at": max(incident.last_at, at),
        "measures": [m.to_json_dict() for m in worst_of(incident.measure_list, occurrence.measures)],
        "causes": joined_texts(incident.causes, occurrence.causes),
        "recovery": added_lines(incident.recovery, occurrence.recovery),
        "job_ref": occurrence.job_ref[:255] or incident.job_ref,
    }
    if incident.is_resolved:
        changes |= _settled(at) if occurrence.settled else _opened_again()
    if Incident.objects.filter(pk=incident.pk, status=incident.status).update(**changes) != 1:
        return False
    for name, value in changes.items():
        setattr(incident, name, incident.count + 1 if name == "count" else value)
    _joined_write(incident, occurrence.summary, who, at)
    _evidence_write(incident, occurrence.evidence, at)
    return True


def _joined_write(incident: Incident, text: str, who: str, at: datetime) -> None:
    """As `event_write`; the count of occurrences says without a look when there are lines enough."""
    if not who and incident.count > JOINS_KEPT + 1 and _last_line_counts(incident, IncidentEventKind.JOINED, text, at):
        return
    IncidentEvent.objects.create(incident=incident, kind=IncidentEventKind.JOINED, at=at, who=who, text=text)


def incidents_settle(kind: IncidentKind, why: str, *, subject: str | None = None, host: str = "") -> int:
    """The cause is over: the system resolves what is open of it (of every subject, where none is named)."""
    still_open = Incident.objects.filter(host=host or host_id(), kind=kind.value)
    still_open = still_open.exclude(status=IncidentStatus.RESOLVED)
    if subject is not None:
        still_open = still_open.filter(subject=subject[:255])
    return sum(_settle(incident, why) for incident in still_open)


def _settle(incident: Incident, why: str) -> bool:
    now = timezone.now()
    changes = {**_settled(now), "recovery": added_lines(incident.recovery, why)}
    with transaction.atomic():
        if Incident.objects.filter(pk=incident.pk, status=incident.status).update(**changes) != 1:
            return False
        event_write(incident, IncidentEventKind.RESOLVED, why, at=now)
    return True


def incident_acknowledge(incident: Incident, who: str) -> bool:
    """False when somebody was faster, or it is resolved."""
    changes = {"acknowledged_by": who}
    return _move(incident, IncidentStatus.ACKNOWLEDGED, IncidentEventKind.ACKNOWLEDGED, who, "", changes)


def incident_resolve(incident: Incident, who: str, done: str) -> bool:
    """`done`: what was done about it, kept as its recovery."""
    with transaction.atomic():  # the system may have added to the recovery since the page was opened
        known = Incident.objects.select_for_update().values_list("recovery", flat=True).get(pk=incident.pk)
        changes = {
            "resolved_by": who,
            "resolved_at": timezone.now(),
            "recovery": with_words_of(known, done),
        }
        return _move(incident, IncidentStatus.RESOLVED, IncidentEventKind.RESOLVED, who, done, changes)


def incident_reopen(incident: Incident, who: str, why: str) -> bool:
    """False when it is not resolved any more, or another incident of the same cause is open already."""
    try:
        return _move(incident, IncidentStatus.OPEN, IncidentEventKind.REOPENED, who, why, _opened_again())
    except IntegrityError:
        return False


def note_add(incident: Incident, who: str, text: str) -> IncidentEvent:
    """A note of a person, whatever the status."""
    return IncidentEvent.objects.create(
        incident=incident, kind=IncidentEventKind.NOTE, at=timezone.now(), who=who, text=text
    )


def evidence_add(incident: Incident, piece: Evidence) -> None:
    """What was found out afterwards."""
    with transaction.atomic():
        _evidence_write(incident, (piece,), timezone.now())


def incident_recovered(incident: Incident, text: str) -> None:
    """Add what was recovered, by the system."""
    with transaction.atomic():
        row = Incident.objects.select_for_update().get(pk=incident.pk)
        Incident.objects.filter(pk=row.pk).update(recovery=added_lines(row.recovery, text))
        event_write(row, IncidentEventKind.RECOVERED, text)


def _move(
    incident: Incident,
    new: IncidentStatus,
    event: IncidentEventKind,
    who: str,
    text: str,
    changes: dict[str, Any],
) -> bool:
    """Change the status if it is still what we read; the instance follows the row."""
    if not can_move(IncidentStatus(incident.status), new):
        return False
    changes = {"status": new.value, **changes}
    with transaction.atomic():
        if Incident.objects.filter(pk=incident.pk, status=incident.status).update(**changes) != 1:
            return False
        event_write(incident, event, text, who=who)
    for name, value in changes.items():
        setattr(incident, name, value)
    return True


def event_write(
    incident: Incident, kind: IncidentEventKind, text: str, *, who: str = "", at: datetime | None = None
) -> None:
    """A line of the timeline; of one kind the system writes `JOINS_KEPT`, and then lets the last one count."""
    at = at or timezone.now()
    if not who and _system_lines(incident, kind).count() >= JOINS_KEPT:
        _last_line_counts(incident, kind, text, at)
        return
    IncidentEvent.objects.create(incident=incident, kind=kind, at=at, who=who, text=text)


def _system_lines(incident: Incident, kind: IncidentEventKind) -> QuerySet[IncidentEvent]:
    return IncidentEvent.objects.filter(incident=incident, kind=kind, who="")


def _last_line_counts(incident: Incident, kind: IncidentEventKind, text: str, at: datetime) -> bool:
    """False when there is no such line."""
    last = _system_lines(incident, kind).order_by("-pk").values("pk")[:1]
    changes = {"repeats": F("repeats") + 1, "last_at": at, "text": text}
    return IncidentEvent.objects.filter(pk=last).update(**changes) == 1


def _evidence_write(incident: Incident, pieces: tuple[Evidence, ...], at: datetime) -> None:
    """The first ones stay; once there are `EVIDENCE_KEPT`, the newest takes the place of the newest before it."""
    for piece in pieces[:EVIDENCE_KEPT]:
        kept = IncidentEvidence.objects.filter(incident=incident)
        if kept.count() >= EVIDENCE_KEPT:
            kept.order_by("-pk")[0].delete()
        short = piece.bounded()
        IncidentEvidence.objects.create(
            incident=incident, at=at, title=short.title[:255], text=short.text, file_name=short.file_name[:255]
        )


def _settled(at: datetime) -> dict[str, Any]:
    return {"status": IncidentStatus.RESOLVED.value, "resolved_by": "", "resolved_at": at}


def _opened_again() -> dict[str, Any]:
    return {"status": IncidentStatus.OPEN.value, "resolved_by": "", "resolved_at": None, "acknowledged_by": ""}


def _subject(occurrence: Occurrence) -> str:
    return occurrence.subject[:255]


def _moment(occurrence: Occurrence) -> datetime:
    return datetime.fromtimestamp(occurrence.at, UTC)
