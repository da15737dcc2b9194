"""The dashboard: may a job start, what runs, what waits, what the machine feels like."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from itertools import pairwise

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from gate.core.requirement import Requirement
from gate.core.units import bytes_text
from gate.core.verdict import CheckName, Verdict
from gate.core.watch import PAUSED_FOR_HEAT
from gate.incident_selectors import incidents_open_count
from gate.models import SensorSample
from gate.selectors import samples_recent
from gate.services import gate_preview, lock_status
from j5a_admin.views.access import VIEW_INCIDENT
from transcribe.errors import ModelUnknown
from transcribe.models import Job
from transcribe.queue_rules import QueueRules, queue_rules
from transcribe.resolve import DEMO, model_requirement
from transcribe.selectors import JobRow, job_row, jobs_recent, queue_entries, running_job, waiting_jobs
from transcribe.states import JobStatus
from transcribe.views.access import ADD, CHANGE, VIEW, may, staff_page
from transcribe.views.live import live_answer, with_version
from transcribe.views.queue import hours_now_text

LIVE = "_dashboard_live.html"
SHOWN_SAMPLES = 6
SHOWN_WAITING = 6
CHART_MINUTES = 15
CHART_WIDTH, CHART_HEIGHT = 300, 60
CHART_GAP_SECONDS = 90  # an idle machine stores a sample every 30 s: three of them may be late before it is a gap


@dataclass(frozen=True, kw_only=True)
class PanelState:
    """The first card: one title, one sentence."""

    title: str
    text: str
    tone: str


@dataclass(frozen=True, kw_only=True)
class MemoryChart:
    """`lines`: x,y pairs for polylines in a box of CHART_WIDTH × CHART_HEIGHT, zero at the bottom."""

    minutes: int
    lines: tuple[str, ...]
    last_text: str
    least_text: str
    most_text: str


@require_safe
@staff_page(VIEW)
def dashboard(request: HttpRequest) -> HttpResponseBase:
    return render(request, "dashboard.html", with_version(request, LIVE, _context(request)) | {"section": "dashboard"})


@require_safe
@staff_page(VIEW)
def dashboard_live(request: HttpRequest) -> HttpResponseBase:
    return live_answer(request, LIVE, _context(request))


def _context(request: HttpRequest) -> dict[str, object]:
    job, rules = running_job(), queue_rules()
    running = None if job is None else job_row(job, rules=rules)
    verdict = gate_preview(_next_requirement(job))
    lock = lock_status()
    samples = list(samples_recent(CHART_MINUTES))
    return {
        "host": settings.HOST_ID,
        "state": panel_state(verdict, running, rules),
        "verdict": verdict,
        "lock": lock,
        "running": running,
        "queue": queue_entries(last=SHOWN_WAITING, rules=rules),
        "more_wait": max(0, waiting_jobs().count() - SHOWN_WAITING),
        "held_count": Job.objects.filter(status=JobStatus.PAUSED).count(),
        "samples": samples[: -SHOWN_SAMPLES - 1 : -1],
        "chart": memory_chart(samples),
        "recent": jobs_recent(),
        "rules": rules,
        "hours_now": hours_now_text(rules),
        "may_add": may(request, ADD),
        "incidents_open": incidents_open_count() if may(request, VIEW_INCIDENT) else 0,
        "may_change": may(request, CHANGE),
    }


def _next_requirement(running: Job | None) -> Requirement:
    """What the next start would need."""
    job = running or waiting_jobs().first()
    for value in (None if job is None else job.model, settings.DEFAULT_MODEL):
        with contextlib.suppress(ModelUnknown):  # registered once, and its file is gone: the job will say so
            if value is not None:
                return model_requirement(value)
    return model_requirement(DEMO)


def panel_state(verdict: Verdict, running: JobRow | None, rules: QueueRules | None = None) -> PanelState:
    if running is not None and running.activity.startswith(PAUSED_FOR_HEAT):
        text = (
            f"“{running.title}” is not being read at the moment: {running.activity.removeprefix(PAUSED_FOR_HEAT)[2:]}."
        )
        return PanelState(title=PAUSED_FOR_HEAT, text=text, tone="warn")
    if running is not None:
        text = f"“{running.title}” is being read. The next job starts when it has ended."
        return PanelState(title="Working", text=text, tone="busy")
    waits = "" if rules is None else rules.wait_text(timezone.now())
    if rules is not None and waits:
        return PanelState(title="Outside the hours" if rules.pause is None else "Queue paused", text=waits, tone="calm")
    model = verdict.requirement.model
    if verdict.admitted and verdict.warnings:
        warned = "; ".join(result.summary for result in verdict.warnings)
        return PanelState(
            title="Ready, with a warning", text=f"{model} would start now. Warning: {warned}.", tone="warn"
        )
    if verdict.admitted:
        return PanelState(title="Ready", text=f"All five checks pass: {model} would start now.", tone="good")
    title = "Busy" if verdict.blocking[0].check is CheckName.LOCK else "Blocked"
    return PanelState(title=title, text=verdict.reason, tone="bad")


def memory_chart(samples: list[SensorSample]) -> MemoryChart | None:
    """None when there are fewer than two readings."""
    read = [(s.taken_at.timestamp(), s.available_bytes) for s in samples if s.available_bytes is not None]
    if len(read) < 2:
        return None
    values = [value for _, value in read]
    first, span_seconds = read[0][0], max(read[-1][0] - read[0][0], 1e-9)
    highest, room = max(*values, 1), CHART_HEIGHT - 2  # the line keeps one unit from both edges
    points = [
        (at, f"{CHART_WIDTH * (at - first) / span_seconds:.1f},{1 + room * (1 - value / highest):.1f}")
        for at, value in read
    ]
    return MemoryChart(
        minutes=max(1, round(span_seconds / 60)),
        lines=chart_lines(points),
        last_text=bytes_text(values[-1]),
        least_text=bytes_text(min(values)),
        most_text=bytes_text(max(values)),
    )


def chart_lines(points: list[tuple[float, str]]) -> tuple[str, ...]:
    """Moments in unix seconds with their points; a new line begins where nothing was read for long."""
    lines = [[points[0][1]]]
    for (before, _), (at, point) in pairwise(points):
        if at - before > CHART_GAP_SECONDS:
            lines.append([])
        lines[-1].append(point)
    return tuple(" ".join(line) for line in lines)


__all__ = ["chart_lines", "dashboard", "dashboard_live", "memory_chart", "panel_state"]
