"""The gate's history in the admin: to read, never to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from gate.models import (
    GateState,
    Incident,
    IncidentEvent,
    IncidentEvidence,
    LockEvent,
    PolicyChange,
    SampleSummary,
    SensorSample,
    VerdictRecord,
)

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Model]
else:  # the class takes a type argument for the type checker only
    _ModelAdmin = admin.ModelAdmin


class ReadOnlyAdmin(_ModelAdmin):
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(SensorSample)
class SensorSampleAdmin(ReadOnlyAdmin):
    list_display = ("taken_at", "host", "celsius", "sensor", "available_bytes", "load1", "fan_rpm")
    # A date hierarchy looks at every sample there is, and there may be millions; so does the count of those found.
    list_filter = ("taken_at",)
    show_full_result_count = False


@admin.register(SampleSummary)
class SampleSummaryAdmin(ReadOnlyAdmin):
    list_display = ("begins_at", "host", "width_seconds", "sample_count", "celsius_mean", "celsius_most")
    list_filter = ("width_seconds", "host")


@admin.register(VerdictRecord)
class VerdictRecordAdmin(ReadOnlyAdmin):
    list_display = ("last_at", "host", "model", "purpose", "admitted", "reason", "repeats", "job_ref")
    list_filter = ("admitted", "purpose", "host")
    search_fields = ("reason", "model", "job_ref")


@admin.register(LockEvent)
class LockEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "host", "kind", "pid", "who", "why")
    list_filter = ("kind", "host")
    search_fields = ("who", "why")


@admin.register(GateState)
class GateStateAdmin(ReadOnlyAdmin):
    list_display = ("host", "latched", "sensor_ever_seen", "updated_at")


@admin.register(PolicyChange)
class PolicyChangeAdmin(ReadOnlyAdmin):
    list_display = ("at", "host", "who", "name", "before", "after")
    list_filter = ("host", "name")


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    list_display = ("last_at", "host", "kind", "subject", "status", "count", "summary")
    list_filter = ("status", "kind", "host")
    search_fields = ("subject", "summary")


@admin.register(IncidentEvent)
class IncidentEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "incident", "kind", "who", "text", "repeats")
    list_filter = ("kind",)


@admin.register(IncidentEvidence)
class IncidentEvidenceAdmin(ReadOnlyAdmin):
    list_display = ("at", "incident", "title", "file_name")
