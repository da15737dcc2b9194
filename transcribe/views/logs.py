"""The engines' logs of a job: followed live, or one as plain text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from transcribe.engine_logs import LogPart, log_path, log_read
from transcribe.models import Attempt, Job
from transcribe.views.access import VIEW, staff_page


@dataclass(frozen=True, kw_only=True)
class ShownLog:
    """What is new, and where to ask from next; `goes_on`: there may be more."""

    number: int
    part: LogPart
    next_number: int
    next_from: int
    goes_on: bool


@require_safe
@staff_page(VIEW)
def job_log(request: HttpRequest, job_id: int) -> HttpResponseBase:
    """What the log of attempt `attempt` has from position `from` on. Without them: the last lines of the last one."""
    job = get_object_or_404(Job, pk=job_id)
    attempts = {attempt.number: attempt for attempt in job.attempts.all()}
    number = _number(request, "attempt", max(attempts, default=0))
    shown = _shown(job, attempts, number, _number(request, "from", 0))
    return render(request, "transcribe/_job_log_part.html", {"job": job, "shown": shown})


@require_safe
@staff_page(VIEW)
def job_log_text(request: HttpRequest, job_id: int, attempt: int) -> HttpResponseBase:
    """One log as it is; the browser must not take it for anything but text."""
    job = get_object_or_404(Job, pk=job_id)  # a number that is too long for the database is none of a job
    path = log_path(get_object_or_404(Attempt, job=job, number=attempt))
    if path is None:
        raise Http404("This attempt has no log, or it was removed.")
    return FileResponse(path.open("rb"), content_type="text/plain; charset=utf-8")


def _shown(job: Job, attempts: dict[int, Attempt], number: int, begins_at: int) -> ShownLog:
    attempt = attempts.get(number)
    path: Path | None = None if attempt is None else log_path(attempt)
    has_ended = attempt is not None and attempt.ended_at is not None
    part = LogPart(text="", ends_at=begins_at)
    if path is not None:
        part = log_read(path, begins_at, is_complete=has_ended)
    later = sorted(other for other in attempts if other > number)
    moves_on = bool(later) and (has_ended or attempt is None)
    return ShownLog(
        number=number,
        part=part,
        next_number=later[0] if moves_on else number,
        next_from=0 if moves_on else part.ends_at,
        goes_on=moves_on or not job.is_ended,
    )


def _number(request: HttpRequest, name: str, otherwise: int) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else otherwise
