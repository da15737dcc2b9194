"""The list of jobs, the page of one, and what a person does with it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from transcribe import services
from transcribe.forms import UploadForm
from transcribe.models import Job
from transcribe.names import MEDIA_ENDINGS
from transcribe.resolve import demo_word_count
from transcribe.results import coverage_of
from transcribe.selectors import job_detail, job_rows, jobs_with, shown_text, status_counts
from transcribe.states import JobStatus
from transcribe.transcript import FORMATS
from transcribe.views.access import ADD, CHANGE, DELETE, VIEW, may, staff_page
from transcribe.views.live import live_answer, with_version

ROWS_PER_PAGE = 25
LIST, LIVE = "transcribe/_job_list.html", "transcribe/_job_live.html"


@require_safe
@staff_page(VIEW)
def job_list(request: HttpRequest) -> HttpResponseBase:
    context = (
        with_version(request, LIST, _list_context(request))
        | upload_context(UploadForm())
        | {"may_add": may(request, ADD)}
    )
    return render(request, "transcribe/job_list.html", context)


@require_safe
@staff_page(VIEW)
def job_list_live(request: HttpRequest) -> HttpResponseBase:
    return live_answer(request, LIST, _list_context(request))


def upload_context(form: UploadForm) -> dict[str, object]:
    return {
        "form": form,
        "upload_max_bytes": settings.UPLOAD_MAX_BYTES,
        "media_endings": MEDIA_ENDINGS,
        "section": "jobs",
    }


def _list_context(request: HttpRequest) -> dict[str, object]:
    status = _status(request.GET.get("status", ""))
    page = Paginator(jobs_with(status), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    counts = status_counts()
    return {
        "rows": job_rows(list(page.object_list)),
        "page": page,
        "status": status,
        "counts": counts,
        "all_count": sum(entry.count for entry in counts),
    }


def _status(text: str) -> JobStatus | None:
    return JobStatus(text) if text in JobStatus.values else None


@require_safe
@staff_page(VIEW)
def job_page(request: HttpRequest, job_id: int) -> HttpResponseBase:
    job = get_object_or_404(Job, pk=job_id)
    return render(request, "transcribe/job_page.html", with_version(request, LIVE, _job_context(request, job)))


@require_safe
@staff_page(VIEW)
def job_live(request: HttpRequest, job_id: int) -> HttpResponseBase:
    """The running figures; the other parts of the page ride along when they differ from what the page has."""
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        return HttpResponse(headers={"HX-Refresh": "true"})  # deleted in another window: show that
    context = _job_context(request, job)
    detail, text, mark = context["detail"], context["text"], request.GET.get("segments", "")
    context["is_changed"] = request.GET.get("state") != detail.fingerprint
    context["has_new_text"] = mark != text.mark
    context["new_segments"] = None if context["is_changed"] else text.after(mark)
    return live_answer(request, LIVE, context, "transcribe/_job_live_answer.html")


def _job_context(request: HttpRequest, job: Job) -> dict[str, Any]:
    text = shown_text(job, request.GET.get("text"))
    return {
        "job": job,
        "detail": job_detail(job),
        "text": text,
        "segment_count": text.count,
        "coverage_percent": int(100 * coverage_of(job)),
        "demo_words": demo_word_count(),
        "section": "jobs",
        "formats": FORMATS,
        "may_change": may(request, CHANGE),
        "may_delete": may(request, DELETE),
    }


@require_POST
@staff_page(CHANGE)
def job_cancel(request: HttpRequest, job_id: int) -> HttpResponseBase:
    job = get_object_or_404(Job, pk=job_id)
    if not services.job_cancel(job, request.user):
        messages.info(request, f"There is nothing to cancel: “{job.title}” has ended.")
    elif job.status == JobStatus.RUNNING:
        messages.info(request, "Stopping. The job counts as cancelled once its process is gone.")
    else:
        messages.success(request, f"“{job.title}” is cancelled.")
    return redirect("job", job_id)


@require_POST
@staff_page(CHANGE)
def job_retry(request: HttpRequest, job_id: int) -> HttpResponseBase:
    job = get_object_or_404(Job, pk=job_id)
    # A page that is old may still show the button: what waits or runs by now must not be queued a second time.
    if job.is_retryable and services.job_retry(job, request.user):
        messages.success(request, f"“{job.title}” is queued again. What was read is kept.")
    else:
        messages.info(request, f"There is nothing to retry: “{job.title}” is {job.get_status_display().lower()}.")
    return redirect("job", job_id)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page(DELETE)
def job_delete(request: HttpRequest, job_id: int) -> HttpResponseBase:
    """GET asks, POST deletes."""
    job = get_object_or_404(Job, pk=job_id)
    if request.method != "POST":
        return render(request, "transcribe/job_delete.html", {"job": job, "section": "jobs"})
    if not services.job_delete(job, request.user):
        messages.error(request, f"“{job.title}” has not ended yet. Cancel it first, then delete it.")
        return redirect("job", job_id)
    messages.success(request, f"“{job.title}”, its recording and its transcript are deleted.")
    return redirect("job-list")
