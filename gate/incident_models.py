"""Incidents: one row for each cause that is not over, with a timeline and evidence of bounded size."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from gate.core.incidents.kinds import IncidentKind, KindFacts, kind_facts
from gate.core.incidents.lifecycle import IncidentStatus
from gate.core.incidents.measures import Measure

__all__ = ["Incident", "IncidentEvent", "IncidentEventKind", "IncidentEvidence"]


class Incident(models.Model):
    """`subject` tells causes of one kind apart. Times are those of the occurrences, not of the row."""

    host = models.CharField(max_length=255)
    kind = models.CharField(max_length=20, choices=[(kind.value, kind_facts(kind).title) for kind in IncidentKind])
    subject = models.CharField(max_length=255)
    status = models.CharField(
        max_length=12,
        choices=[(status.value, status.value) for status in IncidentStatus],
        default=IncidentStatus.OPEN.value,
    )
    summary = models.TextField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1, help_text="Occurrences, the first included.")
    job_ref = models.CharField(max_length=255, blank=True)
    measures = models.JSONField(default=list, blank=True, help_text="What was measured, against which limit.")
    causes = models.JSONField(default=list, blank=True, help_text="Root causes, a sentence each.")
    recovery = models.TextField(blank=True)
    opened_by = models.CharField(max_length=255, blank=True, help_text="Empty: the system.")
    acknowledged_by = models.CharField(max_length=255, blank=True)
    resolved_by = models.CharField(max_length=255, blank=True, help_text="Empty: the system, or not resolved.")
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-last_at", "-pk"]
        indexes = [models.Index(fields=["status", "last_at"], name="gate_incident_status_last")]
        constraints = [
            models.UniqueConstraint(
                fields=["host", "kind", "subject"],
                condition=~Q(status=IncidentStatus.RESOLVED.value),
                name="gate_one_open_incident_per_cause",
            )
        ]
        permissions = [
            ("handle_incident", "Can open and acknowledge incidents and write notes"),
            ("resolve_incident", "Can resolve incidents and open them again"),
        ]

    def __str__(self) -> str:
        return f"{self.title}: {self.subject}"

    @property
    def facts(self) -> KindFacts:
        return kind_facts(IncidentKind(self.kind))

    @property
    def title(self) -> str:
        return self.facts.title

    @property
    def is_resolved(self) -> bool:
        return self.status == IncidentStatus.RESOLVED

    @property
    def measure_list(self) -> tuple[Measure, ...]:
        return tuple(Measure.from_json_dict(raw) for raw in self.measures)


class IncidentEventKind(models.TextChoices):
    """What happened to an incident."""

    OPENED = "opened", "opened"
    JOINED = "joined", "happened again"
    ACKNOWLEDGED = "acknowledged", "acknowledged"
    RECOVERED = "recovered", "recovered"
    RESOLVED = "resolved", "resolved"
    REOPENED = "reopened", "opened again"
    NOTE = "note", "note"


class IncidentEvent(models.Model):
    """One line of the timeline. `repeats` counts further occurrences that this line stands for, up to `last_at`."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=14, choices=IncidentEventKind.choices)
    at = models.DateTimeField()
    last_at = models.DateTimeField(null=True, blank=True)
    repeats = models.PositiveIntegerField(default=0)
    who = models.CharField(max_length=255, blank=True)
    text = models.TextField(blank=True)

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.text}"


class IncidentEvidence(models.Model):
    """A piece of text: kernel lines, the end of a log, the last readings. `file_name`: a log that is kept for it."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="evidence")
    at = models.DateTimeField()
    title = models.CharField(max_length=255)
    text = models.TextField(blank=True)
    file_name = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.title
