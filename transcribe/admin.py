"""Records of this app in the admin: models to register, and the rows of jobs to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest

from gate.admin import ReadOnlyAdmin
from transcribe.forms import ModelRegistrationForm
from transcribe.models import Attempt, Job, RegisteredModel
from transcribe.services.registry import model_register

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[RegisteredModel]
else:  # the class takes a type argument for the type checker only
    _ModelAdmin = admin.ModelAdmin


@admin.register(RegisteredModel)
class RegisteredModelAdmin(_ModelAdmin):
    """Add and remove; a changed file is another model, so nothing is edited."""

    form = ModelRegistrationForm
    list_display = ("name", "path", "file_bytes", "added_at", "added_by")
    readonly_fields = ("sha256", "file_bytes", "added_at", "added_by")

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("name", "path") if obj is None else ("name", "path", *self.readonly_fields)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: RegisteredModel, form: ModelForm[RegisteredModel], change: bool
    ) -> None:
        kept = model_register(obj.name, obj.path, request.user)
        obj.__dict__.update({k: v for k, v in vars(kept).items() if k != "_state"})
        obj._state.adding = False


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("id", "title", "status", "model", "duration_seconds", "created_at", "host")
    list_filter = ("status", "model", "source", "host")
    search_fields = ("title", "original_name", "audio_sha256")
    exclude = ("audio",)  # Django would link it as a public file, and uploads have no public address

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("submitted_by")


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    list_display = ("job", "number", "outcome", "started_at", "ended_at", "engine_pid", "peak_bytes", "host")
    list_filter = ("outcome", "host")
