"""The queue's page, and what a person does with its order and with the queue as a whole."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from transcribe import services
from transcribe.hours_text import hours_text, moment_text
from transcribe.models import Chunk, Job
from transcribe.queue_forms import PauseForm
from transcribe.queue_rules import QueueRules, queue_rules
from transcribe.selectors import (
    QueueEntry,
    held_jobs,
    job_row,
    jobs_held,
    queue_changes,
    queue_entries,
    running_job,
    waiting_jobs,
)
from transcribe.services import Place
from transcribe.states import JobStatus, Priority
from transcribe.views.access import CHANGE, VIEW, may, staff_page
from transcribe.views.live import live_answer, with_version

SHOWN_CHANGES = 25
ROWS_PER_PAGE = 25
LIVE = "transcribe/_queue_live.html"


@require_safe
@staff_page(VIEW)
def queue_page(request: HttpRequest) -> HttpResponseBase:
    page = {"hours": hours_text(queue_rules().schedule), "changes": queue_changes(SHOWN_CHANGES), "form": PauseForm()}
    return render(request, "transcribe/queue_page.html", with_version(request, LIVE, _context(request)) | page)


@require_safe
@staff_page(VIEW)
def queue_live(request: HttpRequest) -> HttpResponseBase:
    return live_answer(request, LIVE, _context(request))


def _context(request: HttpRequest) -> dict[str, object]:
    rules, running = queue_rules(), running_job()
    page = Paginator(waiting_jobs(), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    held_page = Paginator(jobs_held(), ROWS_PER_PAGE).get_page(request.GET.get("held"))
    return {
        "section": "jobs",
        "rules": rules,
        "hours_now": hours_now_text(rules),
        "running": None if running is None else job_row(running, rules=rules),
        "page": page,
        "held_page": held_page,
        "entries": _entries(page, rules),
        "held": held_jobs(held_page.object_list, rules),
        "may_change": may(request, CHANGE),
    }


def _entries(page: Page[Job], rules: QueueRules) -> list[QueueEntry]:
    if not page.paginator.count:
        return []
    return queue_entries(first=page.start_index(), last=page.end_index(), rules=rules)


def hours_now_text(rules: QueueRules) -> str:
    """Open until when, or closed until when; empty where no hours are set."""
    now, schedule = timezone.now(), rules.schedule
    if not schedule.openings:
        return ""
    if schedule.is_open(now):
        closes_at = schedule.closes_at(now)
        return "Open now." if closes_at is None else f"Open now. Closes {moment_text(closes_at, now, schedule.zone)}."
    opens_at = schedule.next_open(now)
    return "Closed." if opens_at is None else f"Closed now. Opens {moment_text(opens_at, now, schedule.zone)}."


# ── The queue as a whole ─────────────────────────────────────────────────────────────────────────
@require_POST
@staff_page(CHANGE)
def queue_pause(request: HttpRequest) -> HttpResponseBase:
    form = PauseForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect("queue")
    stops_running = form.cleaned_data["when"] == PauseForm.NOW
    who = request.user.get_username()
    if not services.queue_pause(who=who, why=form.cleaned_data["why"], stops_running=stops_running):
        messages.info(request, "The queue is paused already.")
    elif stops_running:
        messages.success(request, "The queue is paused. A running job ends now and waits; what it has read is kept.")
    else:
        messages.success(request, "The queue is paused. A running job is let finish; no other one starts.")
    return redirect("queue")


@require_POST
@staff_page(CHANGE)
def queue_resume(request: HttpRequest) -> HttpResponseBase:
    if services.queue_resume(who=request.user.get_username()):
        messages.success(request, "The queue goes on.")
    else:
        messages.info(request, "The queue is not paused.")
    return redirect("queue")


# ── One job in it ────────────────────────────────────────────────────────────────────────────────
@require_POST
@staff_page(CHANGE)
def job_hold(request: HttpRequest, job_id: int) -> HttpResponseBase:
    job = get_object_or_404(Job, pk=job_id)
    if not services.job_hold(job, request.user):
        messages.info(request, f"There is nothing to hold: “{job.title}” is {_status(job)}.")
    elif job.status == JobStatus.RUNNING:
        messages.info(request, "Stopping. The job counts as held once its process is gone; what it has read is kept.")
    else:
        messages.success(request, f"“{job.title}” is held. It waits until somebody releases it.")
    return _back(request, job_id)


@require_POST
@staff_page(CHANGE)
def job_release(request: HttpRequest, job_id: int) -> HttpResponseBase:
    job = get_object_or_404(Job, pk=job_id)
    if services.job_release(job, request.user):
        messages.success(request, f"“{job.title}” is released and waits for its turn.")
    else:
        messages.info(request, f"There is nothing to release: “{job.title}” is {_status(job)}.")
    return _back(request, job_id)


@require_POST
@staff_page(CHANGE)
def job_run_now(request: HttpRequest, job_id: int) -> HttpResponseBase:
    job = get_object_or_404(Job, pk=job_id)
    if services.job_run_now(job, request.user):
        first = "somebody has let the queue go on and " if queue_rules().pause is not None else ""
        messages.success(request, f"“{job.title}” may run outside the hours. It starts when {first}the gate says yes.")
    else:
        messages.info(request, f"Nothing to do: “{job.title}” may run at any time already, or it has ended.")
    return _back(request, job_id)


@require_POST
@staff_page(CHANGE)
def job_place(request: HttpRequest, job_id: int) -> HttpResponseBase:
    job = get_object_or_404(Job, pk=job_id)
    wanted = request.POST.get("place", "")
    if wanted not in list(Place):
        raise Http404(f"A job moves {', '.join(Place)}.")
    if not services.job_place(job, Place(wanted)):
        messages.info(request, f"“{job.title}” cannot move further among the waiting jobs of its priority.")
    return _back(request, job_id)


@require_POST
@staff_page(CHANGE)
def job_priority(request: HttpRequest, job_id: int) -> HttpResponseBase:
    job = get_object_or_404(Job, pk=job_id)
    wanted = request.POST.get("priority", "")
    if wanted not in [str(value) for value in Priority.values]:
        raise Http404("A priority is 1, 0 or -1.")
    priority = Priority(int(wanted))
    if services.job_prioritise(job, priority, request.user):
        messages.success(request, f"“{job.title}” has {priority.label.lower()} priority now.")
    else:
        messages.info(request, f"“{job.title}” has this priority already, or does not wait any more.")
    return _back(request, job_id)


@require_POST
@staff_page(CHANGE)
def chunk_retry(request: HttpRequest, job_id: int, index: int) -> HttpResponseBase:
    chunk = get_object_or_404(Chunk, job=get_object_or_404(Job, pk=job_id), index=index)
    if services.chunk_retry(chunk, request.user):
        messages.success(request, f"Chunk {index + 1} is tried again; all other chunks stay as they are.")
    else:
        messages.info(request, f"There is nothing to try again: chunk {index + 1} is not set aside, or its job waits.")
    return redirect("job", job_id)


def _status(job: Job) -> str:
    return str(JobStatus(job.status).label).lower()


def _back(request: HttpRequest, job_id: int) -> HttpResponseBase:
    """To where the button was; in the queue at the job's line, so that the keyboard goes on from there."""
    if request.POST.get("from") == "queue":
        return redirect(f"{reverse('queue')}{_pages_of(job_id)}#entry-{job_id}")
    return redirect("job", job_id)


def _pages_of(job_id: int) -> str:
    """The page of the queue, and of the held jobs, on which the job stands now; empty for the first ones."""
    query = QueryDict(mutable=True)
    for name, jobs in (("page", waiting_jobs()), ("held", jobs_held())):
        numbers = list(jobs.values_list("pk", flat=True))
        number = numbers.index(job_id) // ROWS_PER_PAGE + 1 if job_id in numbers else 1
        if number > 1:
            query[name] = str(number)
    return f"?{query.urlencode()}" if query else ""


__all__ = ["hours_now_text", "queue_live", "queue_page"]
