"""What the gate keeps. Every row names its host: lock, sensors and verdicts belong to one machine."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import models

from gate.core.verdict import Verdict
from gate.incident_models import Incident, IncidentEvent, IncidentEventKind, IncidentEvidence

__all__ = [
    "GateState",
    "Incident",
    "IncidentEvent",
    "IncidentEventKind",
    "IncidentEvidence",
    "LockEvent",
    "LockEventKind",
    "PolicyChange",
    "SensorChoice",
    "SensorSample",
    "SensorUse",
    "VerdictRecord",
]


class SensorSample(models.Model):
    """The vitals of one moment. Empty fields were not readable or are not there."""

    host = models.CharField(max_length=255)
    taken_at = models.DateTimeField()
    celsius = models.FloatField(null=True)
    sensor = models.CharField(max_length=255, blank=True)
    available_bytes = models.BigIntegerField(null=True)
    total_bytes = models.BigIntegerField(null=True)
    swap_used_bytes = models.BigIntegerField(null=True)
    load1 = models.FloatField(null=True)
    fan_rpm = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["-taken_at"]
        indexes = [
            models.Index(fields=["host", "taken_at"], name="gate_sample_host_taken"),
            models.Index(fields=["taken_at"], name="gate_sample_taken"),
        ]

    def __str__(self) -> str:
        return f"{self.host} {self.taken_at:%Y-%m-%d %H:%M:%S}"


class SampleSummary(models.Model):
    """Least, mean, most and count of the samples of one minute or of ten (`gate.core.history`).

    `begins_at_seconds` is unix time, a multiple of the width: summaries are grouped by whole numbers in the database.
    """

    host = models.CharField(max_length=255)
    width_seconds = models.PositiveIntegerField()
    begins_at_seconds = models.BigIntegerField()
    sample_count = models.PositiveIntegerField()
    celsius_least = models.FloatField(null=True)
    celsius_mean = models.FloatField(null=True)
    celsius_most = models.FloatField(null=True)
    celsius_count = models.PositiveIntegerField(default=0)
    available_bytes_least = models.FloatField(null=True)
    available_bytes_mean = models.FloatField(null=True)
    available_bytes_most = models.FloatField(null=True)
    available_bytes_count = models.PositiveIntegerField(default=0)
    swap_used_bytes_least = models.FloatField(null=True)
    swap_used_bytes_mean = models.FloatField(null=True)
    swap_used_bytes_most = models.FloatField(null=True)
    swap_used_bytes_count = models.PositiveIntegerField(default=0)
    load1_least = models.FloatField(null=True)
    load1_mean = models.FloatField(null=True)
    load1_most = models.FloatField(null=True)
    load1_count = models.PositiveIntegerField(default=0)
    fan_rpm_least = models.FloatField(null=True)
    fan_rpm_mean = models.FloatField(null=True)
    fan_rpm_most = models.FloatField(null=True)
    fan_rpm_count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-begins_at_seconds"]
        verbose_name_plural = "sample summaries"
        constraints = [
            models.UniqueConstraint(
                fields=["host", "width_seconds", "begins_at_seconds"], name="gate_one_summary_of_each_stretch"
            )
        ]

    def __str__(self) -> str:
        return f"{self.host} {self.begins_at:%Y-%m-%d %H:%M} ({self.width_seconds} s)"

    @property
    def begins_at(self) -> datetime:
        return datetime.fromtimestamp(self.begins_at_seconds, UTC)


class VerdictRecord(models.Model):
    """One answer of the gate. `repeats` counts re-checks that said the same; `last_at` is the latest."""

    host = models.CharField(max_length=255)
    taken_at = models.DateTimeField()
    last_at = models.DateTimeField()
    repeats = models.PositiveIntegerField(default=0)
    model = models.CharField(max_length=255)
    purpose = models.CharField(max_length=40)
    admitted = models.BooleanField()
    reason = models.TextField()
    job_ref = models.CharField(max_length=255, blank=True)
    fingerprint = models.CharField(max_length=400)
    data = models.JSONField(help_text="All five results with their figures, of the first time.")

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["host", "purpose", "job_ref"], name="gate_verdict_series"),
            models.Index(fields=["host", "last_at"], name="gate_verdict_host_last"),
        ]

    def __str__(self) -> str:
        return f"{self.model}: {self.reason}"

    @property
    def verdict(self) -> Verdict:
        return Verdict.from_json_dict(self.data)


class LockEventKind(models.TextChoices):
    """What happened to the lock."""

    ACQUIRED = "acquired", "acquired"
    RELEASED = "released", "released"
    REFUSED = "refused", "refused"
    STALE_FOUND = "stale_found", "stale lock found"
    CLEARED = "cleared", "cleared by a person"
    STOPPED = "stopped", "holder stopped by a person"
    NAMED_OVER = "named_over", "survivor named"


class LockEvent(models.Model):
    host = models.CharField(max_length=255)
    kind = models.CharField(max_length=20, choices=LockEventKind.choices)
    at = models.DateTimeField()
    pid = models.PositiveIntegerField(null=True)
    who = models.CharField(max_length=255, blank=True)
    why = models.TextField(blank=True)
    evidence = models.JSONField(default=dict)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["host", "at"], name="gate_lockevent_host_at")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} (PID {self.pid})"


class GateState(models.Model):
    """What the gate of one host must remember over restarts."""

    host = models.CharField(max_length=255, primary_key=True)
    latched = models.BooleanField(default=False, help_text="Too hot before, and not yet below the reset mark.")
    sensor_ever_seen = models.BooleanField(default=False)
    last_fingerprint = models.CharField(max_length=400, blank=True)
    policy = models.JSONField(default=dict, help_text="The limits as last seen, by name.")
    summarised_sample = models.BigIntegerField(default=0, help_text="Number of the last sample in the summaries.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        permissions = [("operate_gate", "Can clear the lock, stop its holder and choose sensors")]

    def __str__(self) -> str:
        return self.host


class SensorUse(models.TextChoices):
    """What an administrator decided about one sensor."""

    PINNED = "pinned", "pinned: it alone decides"
    IGNORED = "ignored", "ignored: it never decides"


class SensorChoice(models.Model):
    host = models.CharField(max_length=255)
    sensor = models.CharField(max_length=255)
    use = models.CharField(max_length=10, choices=SensorUse.choices)
    who = models.CharField(max_length=255)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "sensor"], name="gate_one_choice_for_each_sensor")]

    def __str__(self) -> str:
        return f"{self.sensor}: {self.use}"


class PolicyChange(models.Model):
    """One limit that differs from what it was: changed by a person in the panel, or found changed at a start."""

    host = models.CharField(max_length=255)
    at = models.DateTimeField()
    who = models.CharField(max_length=255)
    name = models.CharField(max_length=100)
    before = models.TextField(blank=True)
    after = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["host", "at"], name="gate_policy_host_at")]

    def __str__(self) -> str:
        return f"{self.name}: {self.before} → {self.after}"
