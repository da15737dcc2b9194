"""The lock's page: who holds it and the proof of that, what happened before, and an administrator's two acts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from gate.core.checks import LOCK_DIR_ADVICE, check_lock
from gate.core.errors import LockError, LockHeld, LockNotStale
from gate.core.readings import LockReading, LockState
from gate.models import LockEvent, LockEventKind
from gate.selectors import lock_events_recent
from gate.services import holder_refusal, lock_clear_stale, lock_status
from gate.services.lock import lock_event
from j5a_admin.holder import Seen, holder_job, holder_stop_for
from j5a_admin.job_links import jobs_there
from j5a_admin.views.access import OPERATE_GATE, VIEW_GATE
from j5a_admin.views.holder_facts import holder_facts
from transcribe.views.access import VIEW, may, staff_page
from transcribe.views.live import live_answer, with_version

__all__ = ["lock_clear", "lock_live", "lock_page", "lock_stop"]

LIVE = "gate/_lock_live.html"
SHOWN_EVENTS = 30
WHY_LIMIT_CHARS = 500


class WhyForm(forms.Form):
    why = forms.CharField(
        label="Reason", max_length=WHY_LIMIT_CHARS, required=False, help_text="Optional; it is kept in the history."
    )


class StopForm(WhyForm):
    """With what the person saw, so that nothing else is stopped."""

    pid = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    job_ref = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)


@dataclass(frozen=True, kw_only=True)
class EventRow:
    """`job_id` is None where no job of this panel is meant, or it has been deleted."""

    event: LockEvent
    job_id: int | None


@require_safe
@staff_page(VIEW_GATE)
def lock_page(request: HttpRequest) -> HttpResponseBase:
    return render(request, "gate/lock_page.html", with_version(request, LIVE, _context(request)))


@require_safe
@staff_page(VIEW_GATE)
def lock_live(request: HttpRequest) -> HttpResponseBase:
    """The state now; the history rides along when it differs from what the page has."""
    context = _context(request)
    is_changed = request.GET.get("seen") != str(context["seen"])
    return live_answer(request, LIVE, context | {"is_changed": is_changed}, "gate/_lock_live_answer.html")


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page(OPERATE_GATE)
def lock_clear(request: HttpRequest) -> HttpResponseBase:
    """GET asks, POST clears, if staleness is proved once more."""
    reading = lock_status()
    form = WhyForm(request.POST if request.method == "POST" else None, label_suffix="")
    if not form.is_valid():
        context = _holder_context(request, reading) | {"form": form}
        return render(request, "gate/lock_clear.html", context, status=422 if form.is_bound else 200)
    if reading.state is LockState.MALFORMED:
        _refuse_malformed(request, reading, form.cleaned_data["why"])
    else:
        _clear(request, form.cleaned_data["why"])
    return redirect("lock")


def _refuse_malformed(request: HttpRequest, reading: LockReading, why: str) -> None:
    """It names nobody whose end could be proved."""
    who = request.user.get_username()
    lock_event(LockEventKind.REFUSED, who=who, why=f"clearing refused: {why}", reading=reading)
    messages.error(request, f"Not cleared: {reading.sentence}. {check_lock(reading).unblock}")


def _clear(request: HttpRequest, why: str) -> None:
    try:
        cleared = lock_clear_stale(request.user.get_username(), why)
    except LockHeld as refused:
        messages.error(
            request,
            f"Not cleared, nothing was changed: {_who_holds(refused.reading)}. "
            "It can be cleared only when its holder is proved gone.",
        )
    except LockNotStale as nothing:
        messages.info(request, f"There is nothing to clear: the lock is {nothing.reading.sentence}.")
    except LockError as error:
        messages.error(request, f"Not cleared: {error}. {LOCK_DIR_ADVICE}")
    else:
        messages.success(request, f"The lock is cleared. It was {cleared.before.sentence}.")


def _who_holds(reading: LockReading) -> str:
    holder = reading.holder
    return reading.sentence if holder is None else f"{reading.sentence} (user {holder.user}: {holder.command})"


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page(OPERATE_GATE)
def lock_stop(request: HttpRequest) -> HttpResponseBase:
    """GET asks, POST stops the holder that was shown. Takes up to the 15 s that the holder is given."""
    reading = lock_status()
    seen = {"pid": reading.held_by_pid, "job_ref": "" if reading.holder is None else reading.holder.job_ref}
    form = StopForm(request.POST if request.method == "POST" else None, initial=seen, label_suffix="")
    if form.is_bound and (form.has_error("pid") or form.has_error("job_ref")):
        messages.error(request, "Nothing was stopped: the page did not say who was meant. Try again from here.")
        return redirect("lock-stop")
    if not form.is_valid():
        context = _holder_context(request, reading) | {"form": form, "refusal": holder_refusal(reading)}
        return render(request, "gate/lock_stop.html", context, status=422 if form.is_bound else 200)
    why = form.cleaned_data.pop("why")
    answer = holder_stop_for(request.user, reading, seen=Seen(**form.cleaned_data), why=why)
    tell = messages.success if answer.is_gone else messages.error
    tell(request, answer.sentence)
    return redirect("lock")


def _context(request: HttpRequest) -> dict[str, object]:
    reading = lock_status()
    events = list(lock_events_recent(SHOWN_EVENTS))
    may_act = may(request, OPERATE_GATE)
    refusal = holder_refusal(reading) if may_act and reading.is_live else ""
    return _holder_context(request, reading) | {
        "may_clear": may_act and reading.is_proved_stale,
        "may_stop": may_act and reading.is_live and not refusal,
        "refusal": refusal,
        "advice": check_lock(reading).unblock,
        "history": _event_rows(events, may_link=may(request, VIEW)),
        "seen": events[0].pk if events else 0,
    }


def _holder_context(request: HttpRequest, reading: LockReading) -> dict[str, object]:
    job = holder_job(reading)
    return {
        "section": "lock",
        "lock": reading,
        "facts": holder_facts(reading),
        "job": job,
        "job_link": job is not None and may(request, VIEW),
    }


def _event_rows(events: Iterable[LockEvent], *, may_link: bool) -> list[EventRow]:
    events = list(events)
    jobs = jobs_there(event.who for event in events) if may_link else {}
    return [EventRow(event=event, job_id=jobs.get(event.who)) for event in events]
