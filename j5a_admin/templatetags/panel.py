"""How figures are written on pages."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from gate.core.units import bytes_text, celsius_text
from gate.incident_selectors import incidents_open_count

register = template.Library()

# Outcomes of the gate, states and events of the lock, judgements of sensors and statuses of a job, as the colour
# they are shown in.
TONES = {
    "pass": "good",
    "warn": "warn",
    "block": "bad",
    "unknown": "bad",
    "free": "good",
    "held": "busy",
    "legacy": "warn",
    "stale": "warn",
    "reused": "warn",
    "hung": "bad",
    "malformed": "bad",
    "queued": "calm",
    "running": "busy",
    "blocked": "warn",
    "paused": "warn",
    "succeeded": "good",
    "incomplete": "warn",
    "failed": "bad",
    "cancelled": "calm",
    "decides": "good",
    "usable": "calm",
    "not a processor sensor": "calm",
    "impossible value": "warn",
    "flatlined": "warn",
    "ignored by the operator": "calm",
    "acquired": "busy",
    "released": "calm",
    "refused": "warn",
    "stale_found": "warn",
    "cleared": "good",
    "stopped": "bad",
    "open": "bad",
    "acknowledged": "warn",
    "resolved": "good",
    "named_over": "warn",
}


@register.filter
def tone(value: object) -> str:
    return TONES.get(str(value), "calm")


@register.filter
def clock(seconds: float | None) -> str:
    """A position in a recording: 1:15, 1:04:05."""
    if seconds is None:
        return "–"
    whole = int(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


@register.filter
def duration(seconds: float | None) -> str:
    """Time spent or to come: 8 s, 12 min, 3 h 20 min."""
    if seconds is None:
        return "–"
    whole = max(0, round(seconds))
    if whole < 120:
        return f"{whole} s"
    if whole < 5400:
        return f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


@register.filter(name="bytes")
def bytes_filter(size: float | None) -> str:
    return "–" if size is None else bytes_text(size)


@register.filter
def celsius(value: float | None) -> str:
    return "–" if value is None else celsius_text(value)


@register.filter
def soon(moment: datetime) -> str:
    """When something is tried next, from now."""
    seconds = (moment - timezone.now()).total_seconds()
    return f"in {duration(seconds)}" if seconds >= 1 else "now"


@register.filter
def plain(seconds: float) -> str:
    """For scripts: a point as decimal mark, milliseconds."""
    return f"{seconds:.3f}"


@register.filter
def commands(text: str) -> SafeString:
    """A sentence with its `commands` set as code; everything in it is escaped."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a lone mark is only a mark
        return format_html("{}", text)
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", part) if at % 2 else part,) for at, part in enumerate(parts))
    )


@register.simple_tag(takes_context=True)
def open_incidents(context: Context) -> int:
    """For the menu; 0 for who may not see them."""
    user = getattr(context.get("request"), "user", None)
    return incidents_open_count() if user is not None and user.has_perm("gate.view_incident") else 0
