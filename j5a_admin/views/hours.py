"""The hours in which heavy work may run: administrators set them, and every change is kept."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from j5a_admin.views.access import OPERATE_GATE
from transcribe.models import QueueState
from transcribe.queue_forms import HoursForm
from transcribe.queue_rules import queue_rules
from transcribe.services import hours_set
from transcribe.views.access import staff_page
from transcribe.views.queue import hours_now_text

__all__ = ["hours_page"]


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page(OPERATE_GATE)
def hours_page(request: HttpRequest) -> HttpResponseBase:
    """GET shows the form, POST saves it."""
    state = QueueState.objects.filter(host=settings.HOST_ID).first() or QueueState(host=settings.HOST_ID)
    form = HoursForm(state, request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        status = 422 if form.is_bound else 200
        context = {"form": form, "now": hours_now_text(queue_rules()), "section": "jobs"}
        return render(request, "hours.html", context, status=status)
    if hours_set(form.openings, form.cleaned_data["zone"], who=request.user.get_username()):
        messages.success(request, f"The hours are saved. {hours_now_text(queue_rules())}".strip())
    else:
        messages.info(request, "The hours are as they were.")
    return redirect("queue")
