"""The morning report: what became of the night."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from j5a_admin.report import forecast_text, incidents_of, period_text
from j5a_admin.views.access import VIEW_INCIDENT
from transcribe.selectors import night_report
from transcribe.views.access import VIEW, may, staff_page

__all__ = ["report_page"]


@require_safe
@staff_page(VIEW)
def report_page(request: HttpRequest) -> HttpResponseBase:
    report = night_report()
    context = {
        "section": "dashboard",
        "report": report,
        "period": period_text(report),
        "forecast": forecast_text(report),
        "may_see_incidents": may(request, VIEW_INCIDENT),
        "incidents": incidents_of(report) if may(request, VIEW_INCIDENT) else [],
    }
    return render(request, "report.html", context)
