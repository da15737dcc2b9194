"""Guessed passwords: whose address counts, and what the login page says while it is closed (django-axes asks here)."""

from __future__ import annotations

import math
from ipaddress import ip_address
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone

from gate.core.units import seconds_text


def client_address(request: HttpRequest) -> str | None:
    """Behind the TLS proxy, the last address in its header: the proxy wrote that one, the others anybody may claim."""
    sender: str | None = request.META.get("REMOTE_ADDR")
    if not settings.HTTPS:
        return sender
    named = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    try:
        return str(ip_address(named))
    except ValueError:
        return sender


def locked_out(
    request: HttpRequest, response: HttpResponseBase | None, credentials: dict[str, Any] | None
) -> HttpResponseBase:
    """The login page again, which says how long it stays closed."""
    seconds = _wait_seconds(request, credentials or {})
    request.method = "GET"  # or it would try once more
    text = f"Too many failed logins. Wait {seconds_text(seconds)}, then try again."
    page = admin.site.login(request, {"locked_out": text})
    page.status_code = 429
    page["Retry-After"] = str(seconds)
    return page.render() if isinstance(page, TemplateResponse) else page


def _wait_seconds(request: HttpRequest, credentials: dict[str, Any]) -> int:
    attempts = AccessAttempt.objects.filter(
        username=credentials.get("username"), ip_address=client_address(request)
    ).order_by("-attempt_time")
    last = attempts.values_list("attempt_time", flat=True).first()
    wait = settings.AXES_COOLOFF_TIME.total_seconds()
    passed = 0.0 if last is None else (timezone.now() - last).total_seconds()
    return math.ceil(min(wait, max(1.0, wait - passed)))
