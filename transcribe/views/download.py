"""Transcripts as files: the finished one, or what is there so far, marked as partial in its name."""

from __future__ import annotations

from urllib.parse import quote

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from transcribe.download_names import download_name
from transcribe.models import Job
from transcribe.results import transcript_of
from transcribe.states import JobStatus
from transcribe.transcript import CONTENT_TYPES, FORMATS, render
from transcribe.views.access import VIEW, staff_page


@require_safe
@staff_page(VIEW)
def job_transcript(request: HttpRequest, job_id: int, format: str) -> HttpResponseBase:
    job = get_object_or_404(Job, pk=job_id)
    if format not in FORMATS:
        raise Http404(f"There is no transcript as .{format}: choose {', '.join(FORMATS)}.")
    partial = job.status != JobStatus.SUCCEEDED
    if partial and not job.segments.exists():
        raise Http404("This job has no text yet.")
    name = download_name(f"{job.title} (partial)" if partial else job.title, format)
    response = HttpResponse(render(transcript_of(job), format), content_type=CONTENT_TYPES[format])
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response
