"""What people do with an incident: acknowledge, note, resolve, open again, and open one by hand."""

from __future__ import annotations

import time

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from gate.core.incidents.kinds import IncidentKind
from gate.core.incidents.occurrence import Occurrence
from gate.models import Incident
from gate.services import (
    incident_acknowledge,
    incident_open_or_join,
    incident_reopen,
    incident_resolve,
    note_add,
)
from j5a_admin.views.access import HANDLE_INCIDENT, RESOLVE_INCIDENT
from j5a_admin.views.incidents import incident_or_404
from transcribe.views.access import staff_page

__all__ = ["incident_ack", "incident_new", "incident_note", "incident_open_again", "incident_solve"]

TEXT_LIMIT_CHARS = 5000
KEPT = "What you wrote is kept as a note."
MISSING = {"required": "Write a sentence: whoever reads this later was not there."}


class Words(forms.CharField):
    """Ends of lines count as one character, as the browser's own limit counts them."""

    def to_python(self, value: object) -> str | None:
        text = super().to_python(value)
        return None if text is None else text.replace("\r\n", "\n")


class TextForm(forms.Form):
    text = Words(max_length=TEXT_LIMIT_CHARS, widget=forms.Textarea(attrs={"rows": 3}), error_messages=MISSING)


class NewForm(forms.Form):
    subject = forms.CharField(
        label="What is it about?",
        max_length=200,
        help_text="In a few words. An open one with the same words is joined.",
    )
    text = Words(
        label="What happened?",
        max_length=TEXT_LIMIT_CHARS,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages=MISSING,
    )


@require_POST
@staff_page(HANDLE_INCIDENT)
def incident_ack(request: HttpRequest, incident_id: int) -> HttpResponseBase:
    done = incident_acknowledge(incident_or_404(incident_id), request.user.get_username())
    _tell(request, done, "Acknowledged: others see that you look after it.", "It is not open any more.")
    return redirect("incident", incident_id)


@require_POST
@staff_page(HANDLE_INCIDENT)
def incident_note(request: HttpRequest, incident_id: int) -> HttpResponseBase:
    incident, text = incident_or_404(incident_id), _text(request)
    if text:
        note_add(incident, request.user.get_username(), text)
        messages.success(request, "The note is kept.")
    return redirect("incident", incident_id)


@require_POST
@staff_page(RESOLVE_INCIDENT)
def incident_solve(request: HttpRequest, incident_id: int) -> HttpResponseBase:
    incident, text = incident_or_404(incident_id), _text(request)
    if text:
        done = incident_resolve(incident, request.user.get_username(), text)
        if not done:
            _keep_words(incident, request.user.get_username(), text)
        _tell(request, done, "Resolved.", f"Somebody else was faster: it is resolved already. {KEPT}")
    return redirect("incident", incident_id)


@require_POST
@staff_page(RESOLVE_INCIDENT)
def incident_open_again(request: HttpRequest, incident_id: int) -> HttpResponseBase:
    incident, text = incident_or_404(incident_id), _text(request)
    if text:
        done = incident_reopen(incident, request.user.get_username(), text)
        if not done:
            _keep_words(incident, request.user.get_username(), text)
        refusal = "Not opened again: it is open already, or a newer incident of the same cause is open. Go on there. "
        _tell(request, done, "It is open again.", f"{refusal}{KEPT}")
    return redirect("incident", incident_id)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page(HANDLE_INCIDENT)
def incident_new(request: HttpRequest) -> HttpResponseBase:
    form = NewForm(request.POST if request.method == "POST" else None, label_suffix="")
    if not form.is_valid():
        context = {"section": "incidents", "form": form}
        return render(request, "gate/incident_new.html", context, status=422 if form.is_bound else 200)
    told = Occurrence(
        kind=IncidentKind.REPORTED,
        subject=form.cleaned_data["subject"],
        summary=form.cleaned_data["text"],
        at=time.time(),
    )
    incident = incident_open_or_join(told, opened_by=request.user.get_username())
    messages.success(request, "The incident is open.")
    return redirect("incident", incident.pk)


def _text(request: HttpRequest) -> str:
    """What was written; empty after a message that says what is wrong with it."""
    form = TextForm(request.POST)
    if form.is_valid():
        return str(form.cleaned_data["text"])
    messages.error(request, " ".join(["Nothing was changed.", *map(str, form.errors["text"])]))
    return ""


def _keep_words(incident: Incident, who: str, text: str) -> None:
    """Of somebody who came too late; a second click of the same button says nothing new."""
    if not incident.events.filter(who=who, text=text).exists():
        note_add(incident, who, text)


def _tell(request: HttpRequest, done: bool, success: str, refusal: str) -> None:
    if done:
        messages.success(request, success)
    else:
        messages.error(request, refusal)
