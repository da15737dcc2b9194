"""The gate's page: five checks for one model, the answer for every model, the limits, and what was decided before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gate.core.units import bytes_text
from gate.core.verdict import CheckName, CheckResult, Verdict
from gate.models import PolicyChange, VerdictRecord
from gate.selectors import policy_changes_recent, verdicts_recent
from gate.services import gate_preview_many, policy_in_force
from j5a_admin.job_links import jobs_there
from j5a_admin.views.access import VIEW_GATE
from j5a_admin.views.limits import limit_label, limit_text, limits_of
from transcribe.resolve import DEMO, ModelChoice, model_choices
from transcribe.selectors import running_job, waiting_jobs
from transcribe.views.access import VIEW, may, staff_page
from transcribe.views.live import live_answer, with_version

__all__ = ["ChangeRow", "ModelAnswer", "change_rows", "gate_live", "gate_page", "model_answer"]

LIVE = "gate/_gate_live.html"
SHOWN_VERDICTS = 25
SHOWN_CHANGES = 25


@dataclass(frozen=True, kw_only=True)
class ModelAnswer:
    """Would it start now? `why` names what blocks or warns, with the figure where one is missing."""

    choice: ModelChoice
    verdict: Verdict
    title: str
    tone: str
    why: str


@dataclass(frozen=True, kw_only=True)
class VerdictRow:
    """`job_id` is None where no job of this panel asked, or it has been deleted."""

    record: VerdictRecord
    count: int
    job_id: int | None


@dataclass(frozen=True, kw_only=True)
class ChangeRow:
    """One changed limit, in words."""

    change: PolicyChange
    label: str
    before: str
    after: str


@require_safe
@staff_page(VIEW_GATE)
def gate_page(request: HttpRequest) -> HttpResponseBase:
    return render(request, "gate/gate_page.html", with_version(request, LIVE, _context(request)))


@require_safe
@staff_page(VIEW_GATE)
def gate_live(request: HttpRequest) -> HttpResponseBase:
    """Checks and answers; the history rides along when it differs from what the page has."""
    context = _context(request)
    is_changed = request.GET.get("seen") != context["seen"]
    return live_answer(request, LIVE, context | {"is_changed": is_changed}, "gate/_gate_live_answer.html")


def _context(request: HttpRequest) -> dict[str, object]:
    choices = model_choices()
    verdicts = gate_preview_many([choice.requirement for choice in choices])
    answers = [model_answer(choice, verdict) for choice, verdict in zip(choices, verdicts, strict=True)]
    wanted = request.GET.get("model", "")
    shown = _shown(wanted, answers)
    records = list(verdicts_recent(SHOWN_VERDICTS))
    return {
        "section": "gate",
        "host": settings.HOST_ID,
        "answers": answers,
        "shown": shown,
        "wanted": wanted if wanted == shown.choice.value else "",  # without one, the page follows the queue
        "never": next((a.verdict.result(CheckName.MEMORY).unblock for a in answers if a.verdict.never_passes), ""),
        "limits": limits_of(policy_in_force()),
        "changes": change_rows(policy_changes_recent(SHOWN_CHANGES)),
        "history": _verdict_rows(records, may_link=may(request, VIEW)),
        "seen": f"{records[0].pk}-{records[0].repeats}" if records else "",
    }


def _shown(wanted: str, answers: list[ModelAnswer]) -> ModelAnswer:
    """Of the model that was asked for, else of the one that comes next."""
    job = running_job() or waiting_jobs().first()
    by_value = {answer.choice.value: answer for answer in answers}
    for value in (wanted, "" if job is None else job.model, settings.DEFAULT_MODEL):
        if value in by_value:
            return by_value[value]
    return by_value[DEMO]


def model_answer(choice: ModelChoice, verdict: Verdict) -> ModelAnswer:
    title, tone = _title(verdict)
    return ModelAnswer(choice=choice, verdict=verdict, title=title, tone=tone, why=_why(verdict))


def _title(verdict: Verdict) -> tuple[str, str]:
    if verdict.never_passes:
        return "Never here", "bad"
    if not verdict.admitted:
        return "Not now", "bad"
    return ("Yes, with a warning", "warn") if verdict.warnings else ("Yes", "good")


def _why(verdict: Verdict) -> str:
    if verdict.never_passes:
        return "more than this machine has in all"
    if verdict.blocking:
        return f"blocked by {' and '.join(_obstacle(result) for result in verdict.blocking)}"
    return ", ".join(str(result.check) for result in verdict.warnings)


def _obstacle(result: CheckResult) -> str:
    if result.check is CheckName.MEMORY and result.reading is not None and result.limit is not None:
        return f"memory ({bytes_text(result.limit - result.reading)} short)"
    return str(result.check)


def change_rows(changes: Iterable[PolicyChange]) -> list[ChangeRow]:
    return [
        ChangeRow(
            change=change,
            label=limit_label(change.name),
            before=limit_text(change.name, change.before),
            after=limit_text(change.name, change.after),
        )
        for change in changes
    ]


def _verdict_rows(records: list[VerdictRecord], *, may_link: bool) -> list[VerdictRow]:
    jobs = jobs_there(record.job_ref for record in records) if may_link else {}
    return [VerdictRow(record=record, count=record.repeats + 1, job_id=jobs.get(record.job_ref)) for record in records]
