"""The doctor's page: the same lines as `manage.py doctor`, seen from the web process."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from j5a_admin.doctor.examine import examine_groups
from j5a_admin.doctor.findings import summary_of
from j5a_admin.views.access import VIEW_GATE
from transcribe.views.access import staff_page

__all__ = ["doctor"]


@require_safe
@staff_page(VIEW_GATE)
def doctor(request: HttpRequest) -> HttpResponseBase:
    groups = examine_groups()
    summary = summary_of(finding for group in groups for finding in group.findings)
    return render(request, "doctor.html", {"section": "doctor", "groups": groups, "summary": summary})
